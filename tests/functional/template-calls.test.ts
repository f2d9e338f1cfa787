import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

import { type TestWorld, bootWorld, sourceDirectory } from '@torpor/testkit'
import * as e2b from 'e2b'
import * as novita from 'novita-sandbox'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const run = promisify(execFile)

/** What both families have; the types are those of e2b. */
type Sdk = Pick<typeof e2b, 'Template' | 'Sandbox'>

const families: readonly { readonly name: string; readonly sdk: Sdk }[] = [
  { name: 'e2b', sdk: e2b },
  // Its classes have private members of their own, so the types differ although these calls are the same.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  { name: 'novita-sandbox', sdk: novita as unknown as Sdk },
]

let world: TestWorld
let context: string

beforeAll(async () => {
  world = await bootWorld()
  Object.assign(process.env, world.env)
  context = await mkdtemp(path.join(tmpdir(), 'torpor-template-calls-'))
  await mkdir(path.join(context, 'app'))
  await writeFile(path.join(context, 'app/one.txt'), 'one')
  await writeFile(path.join(context, 'two.txt'), 'two')
})
afterAll(async () => {
  await world?.close()
  await rm(context, { recursive: true, force: true })
})

describe.each(families)('templates with $name (npm)', ({ name: family, sdk }) => {
  const small = { cpuCount: 1, memoryMB: 512 }
  /** What a command prints in a sandbox of the template. */
  async function printed(template: string, command: string): Promise<string[]> {
    const made = await sdk.Sandbox.create(template)
    try {
      return (await made.commands.run(command)).stdout.trim().split('\n')
    } finally {
      await made.kill()
    }
  }

  test('every step that an SDK writes does what it says', async () => {
    const repository =
      'git init -q -b main /srv/repository && cd /srv/repository && git -c user.name=a -c user.email=b commit -q --allow-empty -m first'
    const template = sdk
      .Template({ fileContextPath: context })
      .fromBaseImage()
      .setUser('root')
      .runCmd([repository, 'touch /tmp/unwanted /tmp/old'])
      .setUser('user')
      .setEnvs({ GREETING: 'hello' })
      .setWorkdir('/home/user/work')
      .copy('two.txt', 'two.txt')
      .copyItems([{ src: 'app', dest: '/home/user/app' }])
      .makeDir('made/deep', { mode: 0o750 })
      .makeSymlink('two.txt', 'link')
      .rename('/tmp/old', '/tmp/new', { user: 'root' })
      .remove('/tmp/unwanted', { user: 'root', force: true })
      .gitClone('/srv/repository', 'cloned', { user: 'root' })
      .skipCache()
      .runCmd('echo "$GREETING" > said')
      .setReadyCmd('test -e said')
    await sdk.Template.build(template, `${family}-steps`, small)
    const seen =
      'pwd; cat two.txt link said ../app/one.txt; stat -c %a made/deep; ls /tmp | grep -E "^(old|new|unwanted)$"; sudo git -C cloned log --format=%s'
    expect(await printed(`${family}-steps`, seen)).toEqual(['/home/user/work', 'twotwohello', 'one750', 'new', 'first'])
  })

  test('a build in the background is followed by its status; tags come and go; the name is taken', async () => {
    const name = `${family}-followed`
    const template = sdk.Template().fromTemplate('base').runCmd('sleep 1; echo followed').setStartCmd('sleep 1000', 'true')
    const build = await sdk.Template.buildInBackground(template, name, small)
    const follow = async (): Promise<string> => (await sdk.Template.getBuildStatus(build)).status
    await expect.poll(follow, { timeout: 60_000 }).toBe('ready')
    expect([await sdk.Template.exists(name), await sdk.Template.exists(`${name}-none`)]).toEqual([true, false])
    await sdk.Template.assignTags(name, ['production'])
    expect((await sdk.Template.getTags(name)).map(({ tag }) => tag).toSorted()).toEqual(['default', 'production'])
    await sdk.Template.removeTags(name, ['production'])
    expect((await sdk.Template.getTags(name)).map(({ tag }) => tag)).toEqual(['default'])
  })

  test('credentials of a cloud are for its own registries only', async () => {
    const aws = { accessKeyId: 'AKIA', secretAccessKey: 'hidden', region: 'eu-west-1' }
    const gcp = { serviceAccountJSON: { type: 'service_account', private_key: 'hidden' } }
    const image = 'localhost:1/team/app:v1'
    const builds = [sdk.Template().fromAWSRegistry(image, aws), sdk.Template().fromGCPRegistry(image, gcp)]
    for (const [index, cloud] of ['AWS', 'Google Cloud'].entries()) {
      const failed = sdk.Template.build(builds[index] ?? sdk.Template(), `${family}-cloud`, small)
      await expect(failed).rejects.toThrow(`${cloud} credentials were given, but localhost:1 is not a registry of ${cloud}`)
    }
  })
})

test('our command line and REST publish a template and take that back, as novita.Template.get( tells', async () => {
  const { templateId } = await e2b.Template.build(e2b.Template().fromTemplate('base').runCmd('true'), 'published', { memoryMB: 512 })
  const told = (verb: string) =>
    run(path.join(sourceDirectory, 'torpor'), ['template', verb, 'published'], { env: { ...process.env, ...world.env }, timeout: 30_000 })
  const shown = async () => (await novita.Template.get(templateId)).public
  expect(await shown()).toBe(false)
  await told('publish')
  expect(await shown()).toBe(true)
  await told('unpublish')
  expect(await shown()).toBe(false)
  // Both of the calls that do it; older clients know the second only.
  for (const [place, isPublic] of [['/v2/templates', true] as const, ['/templates', false] as const]) {
    const init = { method: 'PATCH', headers: { 'x-api-key': world.apiKey, 'content-type': 'application/json' } }
    const answer = await fetch(`${world.url}${place}/${templateId}`, { ...init, body: JSON.stringify({ public: isPublic }) })
    expect([answer.status, await answer.json(), await shown()]).toEqual([200, { names: ['local/published'] }, isPublic])
  }
})
