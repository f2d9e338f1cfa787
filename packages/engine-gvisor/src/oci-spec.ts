import type { ExecutionSpec } from '@torpor/core'

/** Where the agent's directory is mounted inside. */
const agentMount = '/usr/lib/torpor'

/** What the pure translation needs beside the spec itself. */
export interface SpecPlaces {
  /** Directory of the immutable root file system on this machine. */
  readonly rootfs: string
  /** Directory that holds `torpor-agent`. */
  readonly agentDirectory: string
  readonly namespacePath: string
  readonly cgroup: string
  /** Processes and threads of this machine that one sandbox may need. */
  readonly pidsLimit: number
  /** Memory of the sandbox's kernel itself, on top of what was promised to the user. */
  readonly overheadMiB: number
}

/** Inside its own kernel a sandbox is root of nearly everything (sudo, apt, mounts by FUSE); none of these reaches this machine. */
const capabilities =
  'AUDIT_WRITE CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MKNOD NET_ADMIN NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_ADMIN SYS_CHROOT SYS_NICE SYS_PTRACE SYS_RESOURCE'
    .split(' ')
    .map((name) => `CAP_${name}`)

const mebibyte = 1024 * 1024
const cpuPeriodMicroseconds = 100_000

/** The OCI runtime specification of an execution: pure, equal for equal input, so that a restore finds what its image knows. */
export function ociSpec(spec: ExecutionSpec, places: SpecPlaces): object {
  return {
    ociVersion: '1.1.0',
    hostname: spec.hostname,
    root: { path: places.rootfs, readonly: false },
    process: processOf(),
    mounts: mountsOf(spec, places),
    linux: {
      cgroupsPath: places.cgroup,
      namespaces: [{ type: 'pid' }, { type: 'ipc' }, { type: 'uts' }, { type: 'mount' }, { type: 'network', path: places.namespacePath }],
      resources: resourcesOf(spec, places),
    },
  }
}

const processOf = (): object => ({
  terminal: false,
  user: { uid: 0, gid: 0 },
  args: [`${agentMount}/torpor-agent`],
  env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', 'LANG=C.UTF-8'],
  cwd: '/',
  capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities, inheritable: [], ambient: [] },
  rlimits: [{ type: 'RLIMIT_NOFILE', soft: 65_536, hard: 1_048_576 }],
  noNewPrivileges: false,
})

const mountsOf = ({ resources }: ExecutionSpec, places: SpecPlaces): object[] => [
  { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
  { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
  { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755'] },
  { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'] },
  // Half of the memory, as Linux has it: who fills it hears that it is full, and no process pays for it.
  {
    destination: '/dev/shm',
    type: 'tmpfs',
    source: 'shm',
    options: ['nosuid', 'nodev', 'mode=1777', `size=${resources.memoryMiB * 512}k`],
  },
  { destination: agentMount, type: 'bind', source: places.agentDirectory, options: ['rbind', 'ro', 'nosuid', 'nodev'] },
]

const resourcesOf = ({ resources }: ExecutionSpec, places: SpecPlaces): object => ({
  memory: { limit: (resources.memoryMiB + places.overheadMiB) * mebibyte },
  cpu: { period: cpuPeriodMicroseconds, quota: resources.cpuCount * cpuPeriodMicroseconds },
  pids: { limit: places.pidsLimit },
})
