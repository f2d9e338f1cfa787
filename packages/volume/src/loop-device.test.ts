import { expect, it } from 'vitest'

import { parseDevices } from './loop-device.ts'

it.each([
  ['{\n   "loopdevices": [\n      {\n         "name": "/dev/loop0"\n      }\n   ]\n}\n', ['/dev/loop0']],
  ['{"loopdevices": [{"name":"/dev/loop0"},{"name":"/dev/loop12"}]}', ['/dev/loop0', '/dev/loop12']],
  ['{\n   "loopdevices": [\n\n   ]\n}\n', []],
  ['', []],
])('the answer %j of losetup names %j', (answer, devices) => {
  expect(parseDevices(answer)).toStrictEqual(devices)
})

it('an answer of another shape is an error, not an absence', () => {
  expect(() => parseDevices('{"devices": []}')).toThrow('loopdevices')
})
