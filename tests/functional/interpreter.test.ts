import { execFile } from 'node:child_process'
import { request } from 'node:http'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'

import { Sandbox } from '@e2b/code-interpreter'
import { type TestWorld, bootWorld, pythonWith } from '@torpor/testkit'
import { Template, waitForPort } from 'e2b'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

const template = 'code-interpreter-lean'
const minutes = 60_000

let world: TestWorld
let sandbox: Sandbox
/** What a create got that came before the template was ready. */
let early: unknown

beforeAll(async () => {
  world = await bootWorld({ TORPOR_TEMPLATES: template, TORPOR_WARM_MEMORY: '0' })
  early = await Sandbox.create(template, { apiUrl: world.url, apiKey: world.apiKey }).catch((error: unknown) => error)
  await world.templateReady(template, 20 * minutes)
  // Not before: the build needs the authorities that the machine trusts.
  Object.assign(process.env, world.env)
  sandbox = await Sandbox.create(template, { timeoutMs: 10 * minutes, envs: { GLOBAL: 'everywhere' } })
}, 25 * minutes)

afterAll(() => world?.close())

/** A request by the host name of a sandbox's port, as the Novita SDKs send it through TLS. */
async function ask(host: string, route: string, body: object): Promise<string> {
  const { hostname, port } = new URL(world.url)
  const sent = request({ hostname, port, path: route, method: 'POST', headers: { host, 'content-type': 'application/json' } })
  const answer = new Promise<string>((resolve, reject) => {
    sent.on('response', (response) => void text(response).then(resolve, reject)).on('error', reject)
  })
  sent.end(JSON.stringify(body))
  return await answer
}

const draws = 'import random, numpy; [random.random(), numpy.random.rand()]'

describe('the code interpreter with @e2b/code-interpreter (npm)', () => {
  test('a create that comes before the template is ready is told what is being done', () => {
    expect(String(early)).toMatch(/is being prepared \([a-z ]+, \d+ s so far/)
  })

  test('code runs, output streams, variables are kept', async () => {
    const seen: string[] = []
    const first = await sandbox.runCode('x = 20\nprint("ü")\nx', { onStdout: ({ line }) => void seen.push(line) })
    expect(first).toMatchObject({ text: '20', error: undefined, logs: { stdout: ['ü\n'], stderr: [] } })
    expect(seen).toEqual(['ü\n'])
    expect((await sandbox.runCode('x + 1')).text).toBe('21')
    expect((await sandbox.runCode('1 / 0')).error).toMatchObject({ name: 'ZeroDivisionError', value: 'division by zero' })
  })

  test('charts and data frames come as data', async () => {
    const plot = await sandbox.runCode('import matplotlib.pyplot as plt\nplt.plot([1, 2], [3, 4], label="l")\nplt.show()')
    expect(plot.error).toBeUndefined()
    expect(plot.results[0]?.chart).toMatchObject({
      type: 'line',
      elements: [
        {
          label: 'l',
          points: [
            [1, 3],
            [2, 4],
          ],
        },
      ],
    })
    expect(plot.results[0]?.png).toMatch(/^iVBOR/)
    const frame = await sandbox.runCode('import pandas\npandas.DataFrame({"a": [1, 2]})')
    expect(frame.results[0]?.data).toEqual({ a: [1, 2] })
  })

  test('E1, E2: global variables and those of a call', async () => {
    const code = 'import os; os.environ.get("GLOBAL"), os.environ["E2B_SANDBOX_ID"]'
    expect((await sandbox.runCode(code)).text).toBe(`('everywhere', '${sandbox.sandboxId}')`)
    expect((await sandbox.runCode('os.environ["GLOBAL"]', { envs: { GLOBAL: 'here' } })).text).toBe('here')
    expect((await sandbox.runCode('os.environ["GLOBAL"]')).text).toBe('everywhere')
  })

  test.each([
    ['javascript', '[1, 2].map((x) => x * 2).join()', '2,4'],
    ['typescript', 'const x: number = 4; x', '4'],
    ['bash', 'echo $((6 * 7))', '42'],
  ])('%s runs', async (language, code, shown) => {
    const run = await sandbox.runCode(code, { language })
    expect(run.error).toBeUndefined()
    expect([run.text, ...run.logs.stdout].join('').trim()).toBe(shown)
  })

  test('contexts are created, listed, restarted and removed', async () => {
    const context = await sandbox.createCodeContext({ cwd: '/tmp' })
    expect((await sandbox.runCode('import os; y = 1; os.getcwd()', { context })).text).toBe('/tmp')
    await sandbox.restartCodeContext(context)
    expect((await sandbox.runCode('y', { context })).error?.name).toBe('NameError')
    expect((await sandbox.listCodeContexts()).map(({ id }) => id)).toContain(context.id)
    await sandbox.removeCodeContext(context)
    await expect(sandbox.runCode('1', { context })).rejects.toThrow(/not found/)
  })

  test('code over its time is interrupted, and the next runs', async () => {
    await expect(sandbox.runCode('import time; time.sleep(600)', { timeoutMs: 1000 })).rejects.toThrow(/time/i)
    expect((await sandbox.runCode('"free"')).text).toBe('free')
  })

  test('what a command installs, code imports; both see the same files', async () => {
    await sandbox.commands.run('echo "value = 7" > $(python -c "import site; print(site.getsitepackages()[0])")/own_module.py')
    expect((await sandbox.runCode('import own_module; own_module.value')).text).toBe('7')
    await sandbox.runCode('open("/home/user/made.txt", "w").write("by code")')
    expect(await sandbox.files.read('made.txt')).toBe('by code')
  })

  test('a kernel that wants more memory than there is gets an error, and the sandbox lives', async () => {
    const run = await sandbox.runCode('big = bytearray(4 * 1024 ** 3)')
    expect(run.error?.name).toBe('MemoryError')
    expect((await sandbox.runCode('"alive"')).text).toBe('alive')
  })

  test('a service that is killed comes back within 30 s', async () => {
    const other = await Sandbox.create(template)
    await other.commands.run('kill -9 $(pgrep -of torpor_interpreter)', { user: 'root' })
    await expect
      .poll(
        () =>
          other.runCode('1 + 1').then(
            ({ text }) => text,
            () => undefined,
          ),
        { timeout: 30_000 },
      )
      .toBe('2')
    await other.kill()
  })

  test('P3: variables survive a pause; random numbers go on', async () => {
    await sandbox.runCode('import random; kept = {"a": 1}; random.seed(5)')
    await sandbox.pause()
    sandbox = await Sandbox.connect(sandbox.sandboxId)
    const expected = await sandbox.runCode('drawn = random.random(); random.seed(5); drawn == random.random()')
    expect(expected.text).toBe('True')
    expect((await sandbox.runCode('kept')).results[0]?.json).toEqual({ a: 1 })
  })

  test('C2: a clone has the variables of its parent, and random numbers of its own', async () => {
    await sandbox.runCode('kept = 5; random.seed(1)')
    const headers = { 'x-api-key': world.apiKey, 'content-type': 'application/json' }
    const answer = await fetch(`${world.url}/sandboxes/${sandbox.sandboxId}/clone`, { method: 'POST', headers, body: '{"count":1}' })
    const { sandboxes } = z.object({ sandboxes: z.array(z.looseObject({ sandboxID: z.string() })) }).parse(await answer.json())
    const other = await Sandbox.connect(sandboxes[0]?.sandboxID ?? '')
    const runs = await Promise.all([sandbox, other].map((one) => one.runCode('kept, random.random(), os.environ["E2B_SANDBOX_ID"]')))
    expect(runs[0]?.text).toMatch(new RegExp(`^\\(5, 0\\.13436424411240122, '${sandbox.sandboxId}'`))
    expect(runs[1]?.text).toMatch(new RegExp(`^\\(5, .*'${other.sandboxId}'`))
    expect(runs[1]?.text).not.toContain('0.13436424411240122')
    await other.kill()
  })

  test('two fresh sandboxes draw different random numbers, in Python and JavaScript', async () => {
    const pair = await Promise.all([Sandbox.create(template), Sandbox.create(template)])
    const python = await Promise.all(pair.map((one) => one.runCode(draws)))
    const javascript = await Promise.all(
      pair.map((one) => one.runCode('Math.random() + require("crypto").randomUUID()', { language: 'js' })),
    )
    expect(new Set(python.flatMap((run) => run.text?.match(/[\d.]+/g) ?? []))).toHaveProperty('size', 4)
    expect(javascript[0]?.text).not.toBe(javascript[1]?.text)
    await Promise.all(pair.map((one) => one.kill()))
  })
})

test('the interpreter is reached by host name, and gives ASCII lines', async () => {
  const lines = await ask(sandbox.getHost(49_999), '/execute', { code: '"ü"' })
  expect(lines.split('\n').map((line) => (line ? z.looseObject({ type: z.string() }).parse(JSON.parse(line)).type : ''))).toEqual([
    'number_of_executions',
    'result',
    'end_of_execution',
    '',
  ])
  expect(lines).toContain('\\u00fc')
})

test('a template of the user on top of it runs code, beside a server of its own', { timeout: 3 * minutes }, async () => {
  const recipe = Template()
    .fromTemplate(template)
    .runCmd('echo -n mine >/home/user/own')
    .setStartCmd('python3 -m http.server 8000', waitForPort(8000))
  await Template.build(recipe, 'with-code')
  const own = await Sandbox.create('with-code')
  expect((await own.runCode('open("/home/user/own").read() + str(6 * 7)')).text).toBe('mine42')
  expect((await own.commands.run('curl -s -o /dev/null -w %{http_code} localhost:8000')).stdout).toBe('200')
  await own.kill()
})

test('the story of code, told by e2b-code-interpreter from PyPI', async () => {
  const directory = path.join(import.meta.dirname, 'python')
  const python = await pythonWith(path.join(directory, 'requirements.txt'), world.artifactDirectory)
  const args = ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', path.join(directory, 'test_interpreter.py')]
  const env = { ...process.env, ...world.env, TORPOR_TEST_TEMPLATE: template }
  const run = await promisify(execFile)(python, args, { env, timeout: 110_000 }).catch((error: { stdout: string; stderr: string }) => error)
  expect(run.stdout + run.stderr).toMatch(/^6 passed/m)
})

test('novita-sandbox/code-interpreter runs code over TLS', async () => {
  const program = path.join(import.meta.dirname, 'clients', 'novita-code.ts')
  // A program that is started anew: Node reads the authorities it trusts when it starts.
  const env = { ...world.env, PATH: process.env['PATH'] ?? '' }
  const { stdout } = await promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', program, template], {
    env,
    timeout: 60_000,
  })
  const logs = { stdout: ['/tmp everywhere\n'], stderr: [] }
  expect(JSON.parse(stdout)).toEqual({ text: '42', logs, error: 'ZeroDivisionError' })
})
