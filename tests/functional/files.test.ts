import { createHash } from 'node:crypto'

import { Sandbox } from 'e2b'
import { expect, test } from 'vitest'

import { withBothSdks } from './both-sdks.ts'

const mebibyte = 1024 * 1024
const names = ['with space.txt', 'new\nline', '-rf', 'ünïcödé 🦜', `quote'"back\\slash`, 'percent%41', 'plus+and&=', '..dots']

withBothSdks('files', { TORPOR_DISK_MIB: '256' }, (told) => {
  test('several files in one write, with parents, owner and mode', async () => {
    const { sandbox } = told()
    await sandbox.files.write([
      { path: 'many/a.txt', data: 'a' },
      { path: '/home/user/many/deep/er/b.bin', data: new Uint8Array([0, 255, 10]).buffer },
    ])
    const { stdout } = await sandbox.commands.run(
      'stat -c "%n %U %a %s" many/a.txt many/deep/er many/deep/er/b.bin; od -An -tu1 many/deep/er/b.bin',
    )
    expect(stdout).toMatch(/^many\/a\.txt user 644 1\nmany\/deep\/er user 755 \d+\nmany\/deep\/er\/b\.bin user 644 3\n\s+0 255\s+10\n$/)
  })

  test.each(names)('the name %j comes and goes', async (name) => {
    const { sandbox } = told()
    const path = `/home/user/names/${name}`
    await sandbox.files.write(path, name)
    expect(await sandbox.files.read(path)).toBe(name)
    expect((await sandbox.files.list('names')).map((entry) => entry.name)).toContain(name)
    await sandbox.files.rename(path, `${path}.moved`)
    expect(await sandbox.files.exists(path)).toBe(false)
    await sandbox.files.remove(`${path}.moved`)
    expect(await sandbox.files.exists(`${path}.moved`)).toBe(false)
  })

  test('paths: relative, ~ and another user', async () => {
    const { sandbox } = told()
    await sandbox.files.write('~/tilde.txt', 'home')
    expect(await sandbox.files.read('tilde.txt')).toBe('home')
    await sandbox.files.write('rooted.txt', 'root', { user: 'root' })
    expect((await sandbox.commands.run('stat -c %U /root/rooted.txt', { user: 'root' })).stdout).toBe('root\n')
    await expect(sandbox.files.read('missing.txt')).rejects.toThrow(/does not exist/)
    await expect(sandbox.files.read('/home/user')).rejects.toThrow(/is a directory/)
    await expect(sandbox.files.write('x', 'x', { user: 'ghost' })).rejects.toThrow(/ghost/)
  })

  test('links are followed and shown as what they point to', async () => {
    const { sandbox } = told()
    await sandbox.commands.run(
      'mkdir -p links/dir && echo target > links/real && ln -s real links/link && ln -s dir links/to-dir && ln -s nowhere links/broken',
    )
    expect(await sandbox.files.read('links/link')).toBe('target\n')
    await sandbox.files.write('links/link', 'written through')
    expect(await sandbox.files.read('links/real')).toBe('written through')
    const entries = await sandbox.files.list('links')
    expect(Object.fromEntries(entries.map(({ name, type }) => [name, type]))).toMatchObject({
      dir: 'dir',
      real: 'file',
      link: 'file',
      'to-dir': 'dir',
    })
  })

  test('30 MB go in and out unchanged', async () => {
    const { sandbox } = told()
    const data = new Uint8Array(30 * mebibyte)
    for (let i = 0; i < data.length; i += 1) data[i] = (i * 31 + (i >> 13)) & 255
    const sum = createHash('sha256').update(data).digest('hex')
    await sandbox.files.write('big', data.buffer)
    expect((await sandbox.commands.run('sha256sum < big; stat -c "%U %a" big')).stdout).toBe(`${sum}  -\nuser 644\n`)
    const back = await sandbox.files.read('big', { format: 'bytes' })
    expect(createHash('sha256').update(back).digest('hex')).toBe(sum)
    const stream = createHash('sha256')
    for await (const chunk of await sandbox.files.read('big', { format: 'stream' })) stream.update(chunk)
    expect(stream.digest('hex')).toBe(sum)
    await sandbox.files.remove('big')
  })

  test('a full disk is told, and what was there stays', async () => {
    const { sandbox } = told()
    await sandbox.files.write('kept', 'old')
    await sandbox.commands.run('head -c 230000000 /dev/zero > fill')
    await expect(sandbox.files.write('kept', new Uint8Array(60 * mebibyte).buffer)).rejects.toThrow(/not enough disk space/i)
    await sandbox.files.remove('fill')
    expect(await sandbox.files.read('kept')).toBe('old')
    expect((await sandbox.commands.run('ls -A | grep -c torpor-upload || true')).stdout).toBe('0\n')
  })

  test('directories are made, listed in depth and removed', async () => {
    const { sandbox } = told()
    expect(await sandbox.files.makeDir('tree/a/b')).toBe(true)
    expect(await sandbox.files.makeDir('tree/a')).toBe(false)
    await sandbox.files.write('tree/a/b/c', '1')
    const paths = (await sandbox.files.list('tree', { depth: 3 })).map((entry) => entry.path)
    expect(paths).toEqual(['/home/user/tree/a', '/home/user/tree/a/b', '/home/user/tree/a/b/c'])
    await expect(sandbox.files.list('nowhere')).rejects.toThrow(/no such|not found|does not exist/i)
    await sandbox.files.remove('tree')
    expect(await sandbox.files.exists('tree')).toBe(false)
  })

  test('signed URLs read and write until they expire', async () => {
    const { world, sandbox } = told()
    await sandbox.files.write('signed.txt', 'signed')
    const there = (url: string): string => url.replace(/^https?:\/\/[^/]+/, world.url)
    const read = there(await sandbox.downloadUrl('signed.txt', { useSignatureExpiration: 60_000 }))
    expect(await (await fetch(read)).text()).toBe('signed')
    const ranged = await fetch(read, { headers: { range: 'bytes=2-4' } })
    expect([ranged.status, await ranged.text()]).toEqual([206, 'gne'])
    expect((await fetch(read.replace('signed.txt', 'other.txt'))).status).toBeGreaterThanOrEqual(400)
    const form = new FormData()
    form.append('file', new Blob(['uploaded']), 'ignored')
    const write = there(await sandbox.uploadUrl('signed.txt', { useSignatureExpiration: 60_000 }))
    expect((await fetch(write, { method: 'POST', body: form })).status).toBe(200)
    expect(await sandbox.files.read('signed.txt')).toBe('uploaded')
  })

  test('metadata and compressed octets, which e2b alone has', async () => {
    const sandbox = await Sandbox.connect(told().sandbox.sandboxId)
    const data = 'compressible '.repeat(1000)
    const written = await sandbox.files.write('meta.txt', data, { metadata: { author: 'Ada' }, gzip: true, useOctetStream: true })
    expect(written.metadata).toEqual({ author: 'Ada' })
    expect((await sandbox.files.getInfo('meta.txt')).metadata).toEqual({ author: 'Ada' })
    expect(await sandbox.files.read('meta.txt', { gzip: true })).toBe(data)
  })
})
