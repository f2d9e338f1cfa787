/** `value` as one word of a POSIX shell. */
export const shellQuoted = (value: string): string => `'${value.replaceAll("'", String.raw`'\''`)}'`
