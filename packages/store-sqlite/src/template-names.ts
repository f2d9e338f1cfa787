import { namespace } from '@torpor/core'

/** `[local/]<name or id>[:<tag>]`; `default` when no tag is named. */
export function namedTemplate(text: string): { readonly key: string; readonly tag: string } {
  const bare = text.startsWith(`${namespace}/`) ? text.slice(namespace.length + 1) : text
  const [key = '', tag = 'default'] = bare.split(':', 2)
  return { key, tag }
}
