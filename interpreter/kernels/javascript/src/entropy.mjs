/**
 * Randomness that differs between sandboxes that were copied from one memory image. V8 and OpenSSL keep the states of their
 * generators in memory and cannot be told to draw new ones, so numbers come from a generator of ours, and bytes from the kernel
 * of the system, which is asked each time. Keys that OpenSSL itself makes are not covered.
 */
import crypto from 'node:crypto'
import { openSync, readSync } from 'node:fs'

/** Replaces the sources of randomness of this thread, and lets the session ask for new seeds. */
export function useFreshEntropy() {
  const source = openSync('/dev/urandom')
  const fill = (bytes) => {
    for (let at = 0; at < bytes.length;) at += readSync(source, bytes, at, bytes.length - at)
  }
  replaceMathRandom(fill)
  replaceBytes(fill)
}

function replaceMathRandom(fill) {
  let [a, b, c, count] = [0, 0, 0, 0]
  const reseed = () => {
    const seeds = new Uint32Array(4)
    fill(new Uint8Array(seeds.buffer))
    ;[a, b, c, count] = seeds
  }
  // sfc32: small, fast and good; the state is 128 bits.
  const next = () => {
    const sum = (((a + b) | 0) + count) | 0
    count = (count + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + sum) | 0
    return sum >>> 0
  }
  reseed()
  Math.random = function random() {
    return ((next() >>> 5) * 67_108_864 + (next() >>> 6)) / 9_007_199_254_740_992
  }
  Object.defineProperty(globalThis, Symbol.for('torpor.reseed'), { value: reseed })
}

function replaceBytes(fill) {
  const view = (array, offset = 0, size) => {
    const bytes = ArrayBuffer.isView(array) ? new Uint8Array(array.buffer, array.byteOffset, array.byteLength) : new Uint8Array(array)
    return bytes.subarray(offset, size === undefined ? undefined : offset + size)
  }
  const { randomBytes, randomFillSync, randomFill, randomInt } = { ...crypto }
  const getRandomValues = crypto.webcrypto.getRandomValues.bind(crypto.webcrypto)
  // The original checks the arguments and makes the result; its bytes are then replaced.
  const fillSync = (array, offset, size) => {
    randomFillSync(array, offset, size)
    fill(view(array, elements(array, offset ?? 0), elements(array, size)))
    return array
  }
  const values = (array) => {
    getRandomValues(array)
    fill(view(array))
    return array
  }
  replace(crypto, {
    randomFillSync: fillSync,
    randomBytes: (size, callback) => {
      const made = randomBytes(size)
      fill(made)
      return callback ? process.nextTick(callback, null, made) : made
    },
    randomFill: (array, ...rest) => {
      const callback = rest.pop()
      if (typeof callback !== 'function') return randomFill(array, ...rest, callback)
      process.nextTick(callback, null, fillSync(array, ...rest))
    },
    randomInt: (least, most, callback) => {
      const [from, to, done] = typeof most === 'number' ? [least, most, callback] : [0, least, most]
      randomInt(from, to)
      const drawn = from + draw(fill, to - from)
      return done ? process.nextTick(done, null, drawn) : drawn
    },
    randomUUID: () => uuid(fill),
  })
  // crypto.getRandomValues is a getter of this one.
  replace(crypto.webcrypto, { getRandomValues: values, randomUUID: () => uuid(fill) })
}

/** Some are getters of a prototype, which cannot be assigned to. */
function replace(object, functions) {
  for (const [name, value] of Object.entries(functions)) Object.defineProperty(object, name, { value, writable: true, configurable: true })
}

/** Offsets and sizes of typed arrays count elements. */
const elements = (array, count) => (count === undefined ? undefined : count * (array.BYTES_PER_ELEMENT ?? 1))

/** A whole number from 0 to below `range`, without bias. */
function draw(fill, range) {
  const bytes = Buffer.alloc(6)
  const limit = 2 ** 48 - (2 ** 48 % range)
  for (;;) {
    fill(bytes)
    const number = bytes.readUIntBE(0, 6)
    if (number < limit) return number % range
  }
}

function uuid(fill) {
  const bytes = Buffer.alloc(16)
  fill(bytes)
  bytes[6] = (bytes[6] & 0x0f) | 0x40
  bytes[8] = (bytes[8] & 0x3f) | 0x80
  return bytes.toString('hex').replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5')
}
