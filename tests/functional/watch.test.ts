import { expect, test } from 'vitest'

import { withBothSdks } from './both-sdks.ts'

/** Events as `type name`, and a way to await them. */
class Events {
  readonly seen: string[] = []
  #changed: () => void = () => undefined

  add(event: { type: string; name: string }): void {
    this.seen.push(`${event.type} ${event.name}`)
    this.#changed()
  }

  async until(holds: (seen: string[]) => boolean): Promise<void> {
    while (!holds(this.seen)) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve
      })
    }
  }

  async for(...wanted: string[]): Promise<void> {
    await this.until((seen) => wanted.every((each) => seen.includes(each)))
  }
}

withBothSdks('watching', {}, (told) => {
  test('what is made, written, renamed, changed and removed is told in order', async () => {
    const { sandbox } = told()
    await sandbox.files.makeDir('watched')
    const events = new Events()
    const handle = await sandbox.files.watchDir('watched', (event) => events.add(event), { timeoutMs: 0 })
    await sandbox.files.write('watched/f', 'content')
    await events.for('create f', 'write f')
    await sandbox.commands.run('chmod 600 watched/f && mv watched/f watched/g && rm watched/g && mkdir watched/d')
    await events.for('chmod f', 'rename f', 'create g', 'remove g', 'create d')
    const order = ['create f', 'chmod f', 'rename f', 'create g', 'remove g', 'create d'].map((each) => events.seen.lastIndexOf(each))
    expect(order).toEqual(order.toSorted((a, b) => a - b))
    await handle.stop()
  })

  test('no file of 10,000 in new directories is lost or told twice', async () => {
    const { sandbox } = told()
    await sandbox.files.makeDir('burst')
    const events = new Events()
    const handle = await sandbox.files.watchDir('burst', (event) => events.add(event), { recursive: true, timeoutMs: 0 })
    const script = `import os
for d in range(100):
    os.makedirs(f"burst/{d}/sub")
    for f in range(100): open(f"burst/{d}/sub/{f}", "w").close()
open("burst/last", "w").close()`
    await sandbox.commands.run(`python3 -c '${script}'`, { timeoutMs: 100_000 })
    await events.for('create last')
    const created = events.seen.filter((each) => /^create \d+\/sub\/\d+$/.test(each))
    expect(created).toHaveLength(10_000)
    expect(new Set(created).size).toBe(10_000)
    await handle.stop()
  })

  test('a directory that is moved is followed, one that leaves is not', async () => {
    const { sandbox } = told()
    await sandbox.commands.run('mkdir -p tree/old/er elsewhere')
    const events = new Events()
    const handle = await sandbox.files.watchDir('tree', (event) => events.add(event), { recursive: true, timeoutMs: 0 })
    await sandbox.commands.run('mv tree/old tree/new && touch tree/new/er/f && mv tree/new/er elsewhere/ && touch elsewhere/er/g tree/last')
    await events.for('rename old', 'create new', 'create new/er/f', 'rename new/er', 'create last')
    expect(events.seen.filter((each) => each.endsWith('/g'))).toEqual([])
    await handle.stop()
  })

  test('a big upload is told when it is complete', async () => {
    const { sandbox } = told()
    await sandbox.files.makeDir('uploads')
    const events = new Events()
    const handle = await sandbox.files.watchDir('uploads', (event) => events.add(event), { timeoutMs: 0 })
    await sandbox.files.write('uploads/big', new Uint8Array(5_000_000).buffer)
    await events.for('write big')
    expect(events.seen).toEqual(['create big', 'write big'])
    await handle.stop()
  })

  test('what cannot be watched is refused', async () => {
    const { sandbox } = told()
    await expect(sandbox.files.watchDir('nowhere', () => undefined)).rejects.toThrow(/no such file|not found/i)
    await expect(sandbox.files.watchDir('/etc/passwd', () => undefined)).rejects.toThrow(/not a directory/)
  })
})
