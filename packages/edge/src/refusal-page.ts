import type { Refusal } from './refusals.ts'

/** A refusal for a person in front of a browser: what happened, to what, what to do. It loads itself again when that may help. */
export const refusalPage = ({ status, message, hint, sandboxId, port, retryAfterSeconds }: Refusal): string => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${status} ${escape(message)}</title>
${retryAfterSeconds === undefined ? '' : `<meta http-equiv="refresh" content="${Math.max(1, retryAfterSeconds)}">`}
<style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:15vh auto;padding:0 1rem}code{background:#8883;padding:.1em .3em}</style></head>
<body><h1>${escape(message)}</h1>
${hint === undefined ? '' : `<p>${escape(hint)}</p>`}
${sandboxId === undefined ? '' : `<p>Sandbox <code>${escape(sandboxId)}</code></p>`}
${port === undefined ? '' : `<p>Port <code>${port}</code></p>`}
<p>Status ${status}</p></body>
</html>
`

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

const escape = (text: string): string => text.replaceAll(/[&<>"]/g, (character) => entities[character] ?? '')
