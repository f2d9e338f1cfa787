import { readFileSync } from 'node:fs'
import { release, totalmem } from 'node:os'
import process from 'node:process'

import { processEnvironment, searchPath } from '@torpor/server/config'
import { cgroupSupport, commandOutput, findCommand, freeBytes } from '@torpor/setup'

import { servingServer } from '../server/server-record.ts'
import { addressChecks, nameChecks } from './address-checks.ts'
import type { Check } from './check.ts'
import { volumeChecks } from './volume-checks.ts'

const gibibyte = 1024 ** 3
const isRoot = (): boolean => process.geteuid?.() === 0

/** Every check, cheap and without a lasting trace on the machine. */
export const checks: readonly Check[] = [
  {
    name: 'architecture',
    severity: 'error',
    breaks: 'the engine cannot be built',
    mend: 'use a Linux machine on x86_64 or aarch64',
    find: () =>
      ['x64', 'arm64'].includes(process.arch) && process.platform === 'linux' ? undefined : `${process.platform} on ${process.arch}`,
  },
  {
    name: 'kernel',
    severity: 'error',
    breaks: 'sandboxes do not start',
    mend: 'apt-get install linux-image-amd64 (5.10 or newer)',
    find: () => {
      const [major = 0, minor = 0] = release()
        .split('.')
        .map((part) => Number.parseInt(part, 10))
      return major > 5 || (major === 5 && minor >= 10) ? undefined : `Linux ${release()} is too old`
    },
  },
  {
    name: 'root',
    severity: 'error',
    breaks: 'sandboxes need namespaces, control groups and a network of their own',
    mend: 'sudo ./torpor doctor',
    find: () => (isRoot() ? undefined : 'not running as root; some checks are left out'),
  },
  {
    name: 'cgroups',
    severity: 'error',
    breaks: 'limits of processor, memory and processes do not hold',
    mend: 'mount -t cgroup2 none /sys/fs/cgroup',
    find: () => {
      const { version, missing } = cgroupSupport()
      return missing.length === 0 ? undefined : `cgroup ${version} lacks the controllers ${missing.join(', ')}`
    },
  },
  {
    name: 'cgroup version',
    severity: 'warning',
    breaks: 'starting sandboxes is slower, and one after the other',
    mend: 'boot with systemd.unified_cgroup_hierarchy=1',
    find: () => (cgroupSupport().version === 'v1' ? 'cgroup v1 is in use' : undefined),
  },
  {
    name: 'network namespaces',
    severity: 'error',
    breaks: 'sandboxes have no network of their own',
    mend: 'apt-get install iproute2; in a container: run it with --privileged',
    find: () => rootCommand('no network namespace can be made', 'unshare', ['--net', 'true']),
  },
  {
    name: 'nftables',
    severity: 'error',
    breaks: 'sandboxes are not kept apart on the network',
    mend: 'apt-get install nftables && modprobe nf_tables',
    find: () => rootCommand('nft does not work', 'nft', ['list', 'tables']),
  },
  {
    name: 'IPv4 forwarding',
    severity: 'warning',
    breaks: 'sandboxes do not reach the internet until the server has switched it on',
    mend: 'sysctl -w net.ipv4.ip_forward=1',
    find: async (config) => {
      const on = readText('/proc/sys/net/ipv4/ip_forward').trim() === '1'
      // The server switches it on when it starts.
      return on || !isRoot() || (await servingServer(config.dataDirectory)) === undefined ? undefined : 'net.ipv4.ip_forward is 0'
    },
  },
  {
    name: 'foreign firewall',
    severity: 'warning',
    breaks: 'sandboxes do not reach the internet: another program drops what this machine forwards',
    mend: 'iptables -I FORWARD -s 10.207.0.0/16 -j ACCEPT && iptables -I FORWARD -d 10.207.0.0/16 -j ACCEPT (with your TORPOR_NETWORK)',
    find: async ({ network }) => {
      const rules = isRoot() ? await output('iptables', ['-S', 'FORWARD']) : undefined
      if (rules === undefined || !rules.includes('-P FORWARD DROP') || rules.includes(network)) return undefined
      return 'the policy of the iptables chain FORWARD is DROP (Docker sets it)'
    },
  },
  {
    name: 'disk',
    severity: 'error',
    breaks: 'sandboxes cannot be paused, templates not be built',
    mend: 'free some space, or set TORPOR_DATA_DIR to a directory on a larger disk',
    find: ({ dataDirectory }) => {
      const free = freeBytes(dataDirectory) / gibibyte
      return free >= 2 ? undefined : `${free.toFixed(1)} GiB are free below ${dataDirectory}`
    },
  },
  {
    name: 'memory',
    severity: 'warning',
    breaks: 'only few sandboxes run at a time',
    mend: 'add memory, or set TORPOR_MEMORY_MIB lower',
    find: () => (totalmem() >= 2 * gibibyte ? undefined : `the machine has ${(totalmem() / gibibyte).toFixed(1)} GiB`),
  },
  ...volumeChecks,
  ...addressChecks,
  ...nameChecks,
]

/** What a command that needs root complains about; nothing when this is not root. */
async function rootCommand(complaint: string, program: string, args: readonly string[]): Promise<string | undefined> {
  return !isRoot() || (await output(program, args)) !== undefined ? undefined : complaint
}

async function output(program: string, args: readonly string[]): Promise<string | undefined> {
  const file = findCommand(program, searchPath(processEnvironment()))
  return file === undefined ? undefined : commandOutput([file, ...args])
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
