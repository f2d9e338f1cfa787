import type { Sandbox } from 'e2b'

/**
 * Holds so many MiB that can be neither shared nor compressed, and does with them what it is asked for over a FIFO: one word, answered by
 * a file of that name with what was found.
 */
const program = (mib: number): string => `
import hashlib, mmap, os, random, time
size = ${mib} << 20
memory = mmap.mmap(-1, size)
for place in range(0, size, 1 << 20): memory[place:place + (1 << 20)] = os.urandom(1 << 20)
stamp = 0
def contiguous():
    start = random.randrange(0, size - (10 << 20) + 1) & ~4095
    memory[start:start + (10 << 20)] = os.urandom(10 << 20)
def scattered():
    for page in random.sample(range(size >> 12), 2560): memory[page << 12] = random.randrange(256)
def both():
    start = random.randrange(0, size - (5 << 20) + 1) & ~4095
    memory[start:start + (5 << 20)] = os.urandom(5 << 20)
    for page in random.sample(range(size >> 12), 1280): memory[page << 12] = random.randrange(256)
def sum():
    return hashlib.blake2b(memory).hexdigest()
def loops():
    end = time.monotonic() + 40; last = time.monotonic(); worst = 0; count = 0
    while time.monotonic() < end:
        for place in range(0, size, 4096): memory[place] = count & 255
        now = time.monotonic(); worst = max(worst, now - last); last = now; count += 1
    return f'{count / 40} {worst * 1000}'
os.mkfifo('/dev/shm/orders')
open('/dev/shm/ready', 'w').write('yes')
while True:
    for order in open('/dev/shm/orders').read().split():
        found = str(globals()[order]())
        open('/dev/shm/found.new', 'w').write(found)
        os.rename('/dev/shm/found.new', f'/dev/shm/{order}')
`

/** Starts it; resolves when all is touched. */
export async function startToucher(sandbox: Sandbox, mib: number): Promise<void> {
  await sandbox.files.write('toucher.py', program(mib))
  const wait = 'until [ -e /dev/shm/ready ]; do sleep 0.1; done'
  await sandbox.commands.run(`nohup python3 toucher.py >/dev/null 2>toucher.log & ${wait}`, { timeoutMs: 600_000 })
}

/** What it found. */
export async function order(sandbox: Sandbox, word: 'contiguous' | 'scattered' | 'both' | 'sum' | 'loops'): Promise<string> {
  const ask = `rm -f /dev/shm/${word}; echo ${word} > /dev/shm/orders; until [ -e /dev/shm/${word} ]; do sleep 0.02; done; cat /dev/shm/${word}`
  return (await sandbox.commands.run(ask, { timeoutMs: 600_000 })).stdout
}
