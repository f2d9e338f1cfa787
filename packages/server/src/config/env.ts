/** What defaults may depend on. */
export interface Machine {
  readonly memoryMiB: number
}

/** One variable of the configuration. */
export interface Setting {
  readonly name: string
  /** What the value is; shown to users. */
  readonly unit: string
  readonly default: string | ((machine: Machine) => string)
  readonly doc: string
  /** What an empty variable means, where that is not the default. */
  readonly empty?: string
  /** Its value is never shown. */
  readonly secret?: true
}

export const defaultDomain = 'sbx.localhost:3443'

/** The closed list of variables. Every other name that begins with TORPOR_ is refused as a misspelling. */
export const settings = [
  {
    name: 'TORPOR_DATA_DIR',
    unit: 'directory',
    default: '/var/lib/torpor',
    doc: 'Records, keys, logs and the memory of paused sandboxes.',
  },
  {
    name: 'TORPOR_ARTIFACT_DIR',
    unit: 'directory',
    default: '/var/lib/torpor/artifacts',
    doc: 'What the set-up builds: engine, agent and root file systems. May be shared by several data directories.',
  },
  {
    name: 'TORPOR_LISTEN',
    unit: 'address:port',
    default: '127.0.0.1:3180',
    doc: 'Where the API and the sandboxes are served. Port 0 takes any.',
  },
  {
    name: 'TORPOR_TLS_LISTEN',
    unit: 'address:port|off',
    default: '127.0.0.1:3443',
    empty: 'off',
    doc: 'Where API and sandboxes are served over TLS, by host names below TORPOR_DOMAIN. Port 0 takes any.',
  },
  {
    name: 'TORPOR_DOMAIN',
    unit: 'host name[:port]',
    default: defaultDomain,
    doc: 'Host names of sandboxes are <port>-<sandbox>.<domain>, that of the API is api.<domain>. The port is the one clients connect to; that of the default is the port of TORPOR_TLS_LISTEN.',
  },
  {
    name: 'TORPOR_TLS_CERT',
    unit: 'file',
    default: '',
    doc: 'Your own certificate for <domain> and *.<domain>, PEM with its chain; without it, a local authority is made. Read again when it changes.',
  },
  { name: 'TORPOR_TLS_KEY', unit: 'file', default: '', doc: 'The private key of TORPOR_TLS_CERT, PEM.' },
  {
    name: 'TORPOR_TRUST_DIR',
    unit: 'directory',
    default: '/usr/local/share/torpor',
    doc: 'Where programs of every user of this machine find the certificate of the local authority.',
  },
  {
    name: 'TORPOR_TEMPLATES',
    unit: 'names, or none',
    default: 'code-interpreter-v1',
    doc: 'Templates made beside base while the server serves already: code-interpreter-v1, code-interpreter-lean (no R, no Java).',
  },
  { name: 'TORPOR_CPU', unit: 'processors', default: '2', doc: 'Processors of a sandbox whose template asks for nothing else.' },
  { name: 'TORPOR_MEMORY_MIB', unit: 'MiB', default: '1024', doc: 'Memory of a sandbox whose template asks for nothing else.' },
  { name: 'TORPOR_DISK_MIB', unit: 'MiB', default: '20480', doc: 'What a sandbox may write to its disk.' },
  {
    name: 'TORPOR_DISK_RESERVE_MIB',
    unit: 'MiB',
    default: '512',
    doc: 'What every running sandbox can write to its disk for sure, however full the volume gets; beyond it writes get ENOSPC before they could take what others were promised.',
  },
  {
    name: 'TORPOR_VOLUME_SIZE',
    unit: 'MiB|auto|off',
    default: 'auto',
    doc: 'The volume in a file whose files share blocks, made where the file system of TORPOR_DATA_DIR cannot share them; auto takes what fits, off makes none and copies.',
  },
  { name: 'TORPOR_PIDS', unit: 'processes', default: '4096', doc: 'Processes and threads of this machine that one sandbox may hold.' },
  { name: 'TORPOR_DEFAULT_TIMEOUT', unit: 's', default: '300', doc: 'Life of a sandbox that was created without a timeout.' },
  { name: 'TORPOR_MAX_TIMEOUT', unit: 's', default: '86400', doc: 'The longest timeout that may be asked for.' },
  {
    name: 'TORPOR_MAX_RUN_TIME',
    unit: 's',
    default: '86400',
    doc: 'The longest time a sandbox runs without a pause; a pause and resume starts it anew.',
  },
  { name: 'TORPOR_MAX_SANDBOXES', unit: 'sandboxes', default: '1000', doc: 'Sandboxes that may run at once; paused ones do not count.' },
  {
    name: 'TORPOR_MAX_MEMORY',
    unit: 'MiB',
    default: ({ memoryMiB }) => String(Math.floor(memoryMiB * 0.85)),
    doc: 'Memory that all running sandboxes may use together; by default 85 % of the machine.',
  },
  {
    name: 'TORPOR_MEMORY_OVERCOMMIT',
    unit: 'factor',
    default: '2',
    doc: 'How much more memory sandboxes are promised together than TORPOR_MAX_MEMORY: few use all that they were promised.',
  },
  {
    name: 'TORPOR_WARM_MEMORY',
    unit: 'MiB',
    default: ({ memoryMiB }) => String(Math.floor(memoryMiB / 4)),
    doc: 'Memory that paused sandboxes may keep to wake in milliseconds; by default a quarter of the machine.',
  },
  {
    name: 'TORPOR_WARM_POOL',
    unit: 'sandboxes',
    default: '2',
    doc: 'Ready sandboxes that are kept frozen per template, so that a create takes milliseconds; each costs about 30 MiB.',
  },
  { name: 'TORPOR_BUILDS', unit: 'builds', default: '2', doc: 'Template builds that run at once; others wait for their turn.' },
  { name: 'TORPOR_BUILD_STEP_TIMEOUT', unit: 's', default: '3600', doc: 'The longest that a step of a template build may take.' },
  {
    name: 'TORPOR_LAYER_CACHE_MIB',
    unit: 'MiB',
    default: '20480',
    doc: 'Disk for the layers of template builds that are kept to make later builds fast; those that templates rest on do not count.',
  },
  {
    name: 'TORPOR_UPLOAD_MIB',
    unit: 'MiB',
    default: '5120',
    doc: 'The most that the files of one COPY of a template build may have, packed.',
  },
  {
    name: 'TORPOR_INSECURE_REGISTRIES',
    unit: 'host:port,…',
    default: '',
    doc: 'Registries for template builds that are spoken with by plain HTTP.',
  },
  {
    name: 'TORPOR_REGISTRY_CA',
    unit: 'file',
    default: '',
    doc: 'PEM file of authorities that are trusted for registries, beside those of the system.',
  },
  { name: 'TORPOR_NETWORK', unit: 'IPv4 /16', default: '10.207.0.0/16', doc: 'Addresses of sandboxes; used on this machine only.' },
  {
    name: 'TORPOR_EGRESS_PRIVATE',
    unit: 'deny|allow',
    default: 'deny',
    doc: 'Whether sandboxes may reach private address ranges of the network around this machine.',
  },
  {
    name: 'TORPOR_SANDBOX_CONNECTIONS',
    unit: 'connections',
    default: '4096',
    doc: 'The most connections to the outside that a sandbox may have at once; more are refused.',
  },
  {
    name: 'TORPOR_SANDBOX_MBIT',
    unit: 'Mbit/s',
    default: '0',
    doc: 'The most that a sandbox may send, and receive, per second; 0 sets no limit. For sandboxes that start after the change.',
  },
  {
    name: 'TORPOR_RESOLVERS',
    unit: 'addresses',
    default: '',
    doc: 'Resolvers that answer the look-ups of sandboxes, with a port if it is not 53; with commas between. Without: those of the machine.',
  },
  { name: 'TORPOR_LOG_LEVEL', unit: 'debug|info|warn|error', default: 'info', doc: 'The least serious messages that are logged.' },
  { name: 'TORPOR_LOG_FORMAT', unit: 'json|pretty', default: 'json', doc: 'How the log is written.' },
  {
    name: 'TORPOR_API_KEY',
    unit: 'e2b_<hex digits>',
    default: '',
    doc: 'The API key, instead of the one that is made at the first start.',
    secret: true,
  },
] as const satisfies readonly Setting[]

export type SettingName = (typeof settings)[number]['name']

/** The variables of a process, or of a test. */
export type Environment = Readonly<Record<string, string | undefined>>

const names: ReadonlySet<string> = new Set(settings.map((setting) => setting.name))

/** This process's variables: nothing else of Torpor reads process.env. */
export const processEnvironment = (): Environment => process.env

/** The directories in which the system's commands are found. */
export const searchPath = (env: Environment): string[] => (env['PATH'] ?? '').split(':').filter((directory) => directory !== '')

/** Names that begin like ours and are not in the list. */
export const unknownSettings = (env: Environment): string[] =>
  Object.keys(env).filter((name) => name.startsWith('TORPOR_') && !names.has(name))

/** Every setting as text: as given, or its default. A variable that is empty counts as not given. */
export function settingTexts(env: Environment, machine: Machine): Record<SettingName, string> {
  const texts = settings.map((setting): [SettingName, string] => [setting.name, textOf(setting, env[setting.name], machine)])
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the list names every key once, which fromEntries cannot express
  return Object.fromEntries(texts) as Record<SettingName, string>
}

function textOf(setting: Setting, given: string | undefined, machine: Machine): string {
  if (given === '' && setting.empty !== undefined) return setting.empty
  return given || defaultText(setting, machine)
}

export function defaultText(setting: Setting, machine: Machine): string {
  return typeof setting.default === 'string' ? setting.default : setting.default(machine)
}

/** Takes secrets out of this process's variables, so that no child process inherits them. */
export function forgetSecrets(): void {
  for (const setting of settings) if ('secret' in setting) delete process.env[setting.name]
}
