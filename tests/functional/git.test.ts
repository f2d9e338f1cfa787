import { readFileSync } from 'node:fs'
import path from 'node:path'

import { expect, test } from 'vitest'

import { type AnySandbox, withBothSdks } from './both-sdks.ts'

const server = readFileSync(path.join(import.meta.dirname, 'git-server.py'), 'utf8')
const credentials = { username: 'ann', password: 's3cret' }
const url = 'http://127.0.0.1:8418/origin.git'

/** A bare repository, and a server of it in the sandbox that knows one user. */
async function serve(sandbox: AnySandbox): Promise<void> {
  await sandbox.git.init('/home/user/served/origin.git', { bare: true, initialBranch: 'main' })
  await sandbox.git.setConfig('http.receivepack', 'true', { scope: 'local', path: '/home/user/served/origin.git' })
  await sandbox.files.write('git-server.py', server)
  await sandbox.commands.run('python3 git-server.py', { background: true, envs: { GIT_ROOT: '/home/user/served' }, timeoutMs: 0 })
  await sandbox.commands.run(`curl -sS --retry 50 --retry-connrefused --retry-delay 0 -o /dev/null ${url}`)
}

withBothSdks('git', {}, (told) => {
  test('a repository is made, committed to, branched and looked at', async () => {
    const { git, files } = told().sandbox
    await git.init('work', { initialBranch: 'main' })
    await git.configureUser('Ann', 'ann@example.org')
    expect(await git.getConfig('user.email')).toBe('ann@example.org')
    await files.write('work/ä file.txt', 'one\n')
    expect(await git.status('work')).toMatchObject({ currentBranch: 'main', untrackedCount: 1, isClean: false })
    await git.add('work')
    expect(await git.status('work')).toMatchObject({ hasStaged: true, stagedCount: 1 })
    await git.commit('work', 'First: "quoted" $HOME `id`')
    expect((await told().sandbox.commands.run('git -C work log -1 --format="%an %s"')).stdout).toBe('Ann First: "quoted" $HOME `id`\n')
    await git.createBranch('work', 'side')
    await git.checkoutBranch('work', 'main')
    expect(await git.branches('work')).toEqual({ branches: ['main', 'side'], currentBranch: 'main' })
    await git.deleteBranch('work', 'side')
    expect((await git.branches('work')).branches).toEqual(['main'])
  })

  test('changes are taken back', async () => {
    const { git, files } = told().sandbox
    await files.write('work/ä file.txt', 'two\n')
    await git.add('work')
    await git.restore('work', { paths: ['ä file.txt'], staged: true })
    expect(await git.status('work')).toMatchObject({ hasStaged: false, unstagedCount: 1 })
    await git.reset('work', { mode: 'hard' })
    expect(await files.read('work/ä file.txt')).toBe('one\n')
    expect((await git.status('work')).isClean).toBe(true)
  })

  test('a local bare repository is pushed to, cloned and pulled from', async () => {
    const { git, files } = told().sandbox
    await git.init('bare.git', { bare: true, initialBranch: 'main' })
    await git.remoteAdd('work', 'origin', '/home/user/bare.git')
    expect(await git.remoteGet('work', 'origin')).toBe('/home/user/bare.git')
    await git.push('work', { remote: 'origin', branch: 'main', setUpstream: true })
    await git.clone('/home/user/bare.git', { path: 'copy' })
    await files.write('copy/second', '2')
    await git.add('copy', { files: ['second'] })
    await git.commit('copy', 'Second')
    await git.push('copy')
    await git.pull('work')
    expect(await files.read('work/second')).toBe('2')
    expect(await git.status('work')).toMatchObject({ upstream: 'origin/main', ahead: 0, behind: 0 })
  })

  test('a server over HTTP is cloned from, pushed to and pulled from with credentials that stay nowhere', async () => {
    const { sandbox } = told()
    const { git, files } = sandbox
    await serve(sandbox)
    await expect(git.clone(url, { path: 'refused' })).rejects.toThrow(/auth|credential/i)
    await expect(git.clone(url, { path: 'wrong', username: 'ann', password: 'wrong' })).rejects.toThrow(/auth|credential/i)
    await git.remoteAdd('work', 'web', url)
    await git.push('work', { remote: 'web', branch: 'main', setUpstream: false, ...credentials })
    await git.clone(url, { path: 'from-web', branch: 'main', depth: 1, ...credentials })
    expect(await files.read('from-web/second')).toBe('2')
    await files.write('work/third', 'x'.repeat(300_000))
    await git.add('work')
    await git.commit('work', 'Third', { authorName: 'Bob', authorEmail: 'bob@example.org' })
    await git.push('work', { remote: 'web', branch: 'main', setUpstream: false, ...credentials })
    await git.pull('from-web', credentials)
    expect(await files.read('from-web/third')).toHaveLength(300_000)
    expect((await sandbox.commands.run('grep -rl s3cret from-web/.git work/.git .git-credentials || echo none')).stdout).toBe('none\n')
  })

  test('authenticated on purpose, git needs no credentials any more', async () => {
    const { git } = told().sandbox
    await git.dangerouslyAuthenticate({ ...credentials, host: '127.0.0.1:8418', protocol: 'http' })
    await git.clone(url, { path: 'trusted' })
    expect((await git.status('trusted')).isClean).toBe(true)
  })
})
