const mebibyte = 1024 * 1024
const alwaysFine = 1024

/**
 * Whether an image lies in so many pieces that sharing its blocks takes noticeably longer: each piece costs a pause and a wake 20 to
 * 50 µs, beside some 100 ms for all the rest. One piece for each MiB is what images are like when they are new.
 */
export const isFragmented = ({ extents, allocatedBytes }: { readonly extents: number; readonly allocatedBytes: number }): boolean =>
  extents > alwaysFine + allocatedBytes / mebibyte
