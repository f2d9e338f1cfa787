import { isIP } from 'node:net'
import { totalmem } from 'node:os'
import path from 'node:path'

import { z } from 'zod'

import {
  type Environment,
  type Machine,
  type SettingName,
  defaultText,
  processEnvironment,
  settingTexts,
  settings,
  unknownSettings,
} from './env.ts'
import { Secret } from './secret.ts'

/** The configuration of a server, checked as a whole. */
export interface Config {
  readonly dataDirectory: string
  readonly artifactDirectory: string
  /** Port 0 takes any free port. */
  readonly listen: { readonly host: string; readonly port: number }
  /** Host name, perhaps with a port, below which sandboxes have theirs. */
  readonly domain: string
  readonly tls: TlsConfig
  /** What a sandbox gets whose template asks for nothing else. */
  readonly resources: { readonly cpuCount: number; readonly memoryMiB: number; readonly diskMiB: number }
  /** What every running sandbox can write to its disk, however full the volume is. */
  readonly diskReserveMiB: number
  /** MiB of the volume in a file; `auto`: what fits; `off`: none is made, and nothing shares blocks. */
  readonly volumeSize: 'auto' | 'off' | number
  readonly pidsLimit: number
  /** Built-in templates that are made beside base. */
  readonly templates: readonly (typeof lateTemplates)[number][]
  readonly defaultTimeoutSeconds: number
  readonly maxTimeoutSeconds: number
  /** Without a pause. */
  readonly maxRunSeconds: number
  readonly maxSandboxes: number
  /** What running sandboxes may use together. */
  readonly maxMemoryMiB: number
  /** At least 1; what they are promised together is `maxMemoryMiB` times this. */
  readonly memoryOvercommit: number
  readonly warmMemoryMiB: number
  /** Ready sandboxes kept frozen per template. */
  readonly warmPoolSize: number
  /** Template builds at once. */
  readonly buildsAtOnce: number
  /** The longest a step of a build may take. */
  readonly buildStepSeconds: number
  readonly layerCacheMiB: number
  /** The files of one COPY, packed. */
  readonly uploadMiB: number
  /** `host:port`, spoken with by plain HTTP. */
  readonly insecureRegistries: readonly string[]
  /** PEM file; undefined: the system's authorities only. */
  readonly registryCa: string | undefined
  /** `a.b.0.0/16`. */
  readonly network: string
  readonly egressPrivate: 'deny' | 'allow'
  /** To the outside, at once. */
  readonly connectionsPerSandbox: number
  /** Per second and direction; 0: no limit. */
  readonly megabitsPerSandbox: number
  /** `address`, `address:port` or `[address]:port`; empty: those of the machine. */
  readonly resolvers: readonly string[]
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
  readonly logFormat: 'json' | 'pretty'
  /** Set when the operator brings the key. */
  readonly apiKey: Secret | undefined
  /** Every setting as text, secrets hidden. */
  readonly texts: Readonly<Record<SettingName, string>>
}

interface TlsConfig {
  /** undefined: no TLS. Port 0 takes any free port. */
  readonly listen: { readonly host: string; readonly port: number } | undefined
  /** The operator's own certificate; undefined: one of a local authority. */
  readonly files: { readonly certificate: string; readonly key: string } | undefined
  /** Where the certificate of the local authority is put for everybody. */
  readonly trustDirectory: string
}

/** Everything that is wrong with the configuration, each fault beginning with the variable's name. */
export class ConfigError extends Error {
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super(faults.join('\n'))
    this.name = 'ConfigError'
    this.faults = faults
  }
}

const thisMachine = (): Machine => ({ memoryMiB: Math.floor(totalmem() / 1024 ** 2) })

/** @throws ConfigError with every fault. */
export function loadConfig(env: Environment = processEnvironment(), machine: Machine = thisMachine()): Config {
  const texts = settingTexts(env, machine)
  const parsed = schema.safeParse(texts)
  const faults = unknownSettings(env).map((name) => `${name}: no such setting; \`torpor config\` lists them`)
  if (!parsed.success) faults.push(...parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`))
  if (!parsed.success || faults.length > 0) throw new ConfigError(faults)
  return toConfig(parsed.data, texts)
}

/** The form of an API key: what every SDK accepts. */
export const apiKeyPattern = /^e2b_[0-9a-f]{16,128}$/

const whole = (unit: string, least: number, most: number): z.ZodType<number> => {
  const error = `must be a whole number of ${unit} from ${least} to ${most}`
  return z
    .string()
    .regex(/^\d+$/, { error, abort: true })
    .transform(Number)
    .pipe(z.int({ error }).min(least, { error }).max(most, { error }))
}

const oneOf = <const Value extends string>(...values: readonly [Value, ...Value[]]): z.ZodEnum<{ [Key in Value]: Key }> =>
  z.enum(values, { error: `must be one of ${values.join(', ')}` })

const volumeSize = z.union([z.enum(['auto', 'off']), whole('MiB', 1024, 67_108_864)], {
  error: 'must be auto, off or a whole number of MiB from 1024 to 67108864',
})

const directory = z
  .string()
  .refine((text) => path.isAbsolute(text) && !text.includes('\0'), 'must be an absolute path')
  .transform((text) => path.resolve(text))

const listenAddress = z.string().transform((text, context) => {
  const match = /^(?:\[([^\]]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text)
  const host = match?.[1] ?? match?.[2] ?? ''
  const port = Number(match?.[3])
  if ((isIP(host) !== 0 || host === 'localhost') && port <= 65_535) return { host, port }
  context.addIssue('must be an address and a port, such as 127.0.0.1:3180 or [::1]:3180')
  return z.NEVER
})

const listenAddressOrOff = z
  .string()
  .transform((text) => (text === 'off' ? undefined : text))
  .pipe(listenAddress.optional())

const fileOrNone = z.string().refine((text) => text === '' || (path.isAbsolute(text) && !text.includes('\0')), 'must be an absolute path')

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const domainPattern = new RegExp(`^(?:${label}\\.)*${label}(?::[1-9]\\d{0,4})?$`)

const lateTemplates = ['code-interpreter-v1', 'code-interpreter-lean'] as const

const templateNames = z
  .string()
  .transform((text) => (text === 'none' ? [] : text.split(',')))
  .pipe(z.array(z.enum(lateTemplates, { error: `must be none or names out of ${lateTemplates.join(', ')}, with commas between` })))

const registries = z
  .string()
  .regex(/^$|^[\w.-]+:\d{1,5}(,[\w.-]+:\d{1,5})*$/, 'must be hosts with their ports, such as registry.lan:5000, with commas between')
  .transform((text) => (text === '' ? [] : text.split(',')))

const resolvers = z
  .string()
  .transform((text) => (text === '' ? [] : text.split(',')))
  .refine(
    (all) => all.every((text) => isIP(/^(?:\[(.+)\]|([^:]+))(?::\d{1,5})?$/.exec(text)?.slice(1).find(Boolean) ?? text) !== 0),
    'must be addresses, perhaps with a port, such as 192.0.2.1 or 192.0.2.1:5353, with commas between',
  )

const schema = z
  .object({
    TORPOR_DATA_DIR: directory,
    TORPOR_ARTIFACT_DIR: directory,
    TORPOR_LISTEN: listenAddress,
    TORPOR_TLS_LISTEN: listenAddressOrOff,
    TORPOR_TLS_CERT: fileOrNone,
    TORPOR_TLS_KEY: fileOrNone,
    TORPOR_TRUST_DIR: directory,
    TORPOR_DOMAIN: z.string().regex(domainPattern, 'must be a host name in lower case, perhaps with a port, such as sbx.example.org:8443'),
    TORPOR_TEMPLATES: templateNames,
    TORPOR_CPU: whole('processors', 1, 256),
    TORPOR_MEMORY_MIB: whole('MiB', 128, 1_048_576),
    TORPOR_DISK_MIB: whole('MiB', 256, 16_777_216),
    TORPOR_DISK_RESERVE_MIB: whole('MiB', 0, 16_777_216),
    TORPOR_VOLUME_SIZE: volumeSize,
    TORPOR_PIDS: whole('processes', 64, 1_000_000),
    TORPOR_DEFAULT_TIMEOUT: whole('seconds', 1, 31_536_000),
    TORPOR_MAX_TIMEOUT: whole('seconds', 1, 31_536_000),
    TORPOR_MAX_RUN_TIME: whole('seconds', 1, 31_536_000),
    TORPOR_MAX_SANDBOXES: whole('sandboxes', 1, 16_000),
    TORPOR_MAX_MEMORY: whole('MiB', 128, 67_108_864),
    TORPOR_MEMORY_OVERCOMMIT: z
      .string()
      .regex(/^\d+(\.\d+)?$/, { error: 'must be a number from 1 to 100', abort: true })
      .transform(Number)
      .pipe(z.number().min(1, 'must be at least 1').max(100, 'must be at most 100')),
    TORPOR_WARM_MEMORY: whole('MiB', 0, 67_108_864),
    TORPOR_WARM_POOL: whole('sandboxes', 0, 100),
    TORPOR_BUILDS: whole('builds', 1, 100),
    TORPOR_BUILD_STEP_TIMEOUT: whole('seconds', 1, 86_400),
    TORPOR_LAYER_CACHE_MIB: whole('MiB', 0, 67_108_864),
    TORPOR_UPLOAD_MIB: whole('MiB', 1, 1_048_576),
    TORPOR_INSECURE_REGISTRIES: registries,
    TORPOR_REGISTRY_CA: fileOrNone,
    TORPOR_NETWORK: z
      .string()
      .refine(
        (text) => text.endsWith('.0.0/16') && isIP(text.slice(0, -3)) === 4,
        'must be an IPv4 network of 16 bits, such as 10.207.0.0/16',
      ),
    TORPOR_EGRESS_PRIVATE: oneOf('deny', 'allow'),
    TORPOR_SANDBOX_CONNECTIONS: whole('connections', 1, 1_000_000),
    TORPOR_SANDBOX_MBIT: whole('Mbit/s', 0, 1_000_000),
    TORPOR_RESOLVERS: resolvers,
    TORPOR_LOG_LEVEL: oneOf('debug', 'info', 'warn', 'error'),
    TORPOR_LOG_FORMAT: oneOf('json', 'pretty'),
    // The message must not repeat the value.
    TORPOR_API_KEY: z
      .string()
      .refine((text) => text === '' || apiKeyPattern.test(text), 'must be e2b_ and 16 to 128 hex digits in lower case'),
  })
  .superRefine((values, context) => {
    const fault = (name: SettingName, message: string): void => context.addIssue({ code: 'custom', path: [name], message })
    if (values.TORPOR_DEFAULT_TIMEOUT > values.TORPOR_MAX_TIMEOUT) fault('TORPOR_DEFAULT_TIMEOUT', 'must not be above TORPOR_MAX_TIMEOUT')
    if ((values.TORPOR_TLS_CERT === '') !== (values.TORPOR_TLS_KEY === '')) {
      fault(values.TORPOR_TLS_CERT === '' ? 'TORPOR_TLS_CERT' : 'TORPOR_TLS_KEY', 'a certificate and its key are given together')
    }
    if (values.TORPOR_MEMORY_MIB > values.TORPOR_MAX_MEMORY * values.TORPOR_MEMORY_OVERCOMMIT) {
      fault('TORPOR_MEMORY_MIB', 'must not be above TORPOR_MAX_MEMORY: no sandbox could ever start')
    }
  })

function toConfig(values: z.output<typeof schema>, texts: Record<SettingName, string>): Config {
  return {
    dataDirectory: values.TORPOR_DATA_DIR,
    artifactDirectory: values.TORPOR_ARTIFACT_DIR,
    listen: values.TORPOR_LISTEN,
    domain: values.TORPOR_DOMAIN,
    tls: {
      listen: values.TORPOR_TLS_LISTEN,
      files: values.TORPOR_TLS_CERT === '' ? undefined : { certificate: values.TORPOR_TLS_CERT, key: values.TORPOR_TLS_KEY },
      trustDirectory: values.TORPOR_TRUST_DIR,
    },
    resources: { cpuCount: values.TORPOR_CPU, memoryMiB: values.TORPOR_MEMORY_MIB, diskMiB: values.TORPOR_DISK_MIB },
    diskReserveMiB: values.TORPOR_DISK_RESERVE_MIB,
    volumeSize: values.TORPOR_VOLUME_SIZE,
    pidsLimit: values.TORPOR_PIDS,
    templates: values.TORPOR_TEMPLATES,
    defaultTimeoutSeconds: values.TORPOR_DEFAULT_TIMEOUT,
    maxTimeoutSeconds: values.TORPOR_MAX_TIMEOUT,
    maxRunSeconds: values.TORPOR_MAX_RUN_TIME,
    maxSandboxes: values.TORPOR_MAX_SANDBOXES,
    maxMemoryMiB: values.TORPOR_MAX_MEMORY,
    memoryOvercommit: values.TORPOR_MEMORY_OVERCOMMIT,
    warmMemoryMiB: values.TORPOR_WARM_MEMORY,
    warmPoolSize: values.TORPOR_WARM_POOL,
    buildsAtOnce: values.TORPOR_BUILDS,
    buildStepSeconds: values.TORPOR_BUILD_STEP_TIMEOUT,
    layerCacheMiB: values.TORPOR_LAYER_CACHE_MIB,
    uploadMiB: values.TORPOR_UPLOAD_MIB,
    insecureRegistries: values.TORPOR_INSECURE_REGISTRIES,
    registryCa: values.TORPOR_REGISTRY_CA || undefined,
    network: values.TORPOR_NETWORK,
    egressPrivate: values.TORPOR_EGRESS_PRIVATE,
    connectionsPerSandbox: values.TORPOR_SANDBOX_CONNECTIONS,
    megabitsPerSandbox: values.TORPOR_SANDBOX_MBIT,
    resolvers: values.TORPOR_RESOLVERS,
    logLevel: values.TORPOR_LOG_LEVEL,
    logFormat: values.TORPOR_LOG_FORMAT,
    apiKey: values.TORPOR_API_KEY === '' ? undefined : new Secret(values.TORPOR_API_KEY),
    texts: { ...texts, TORPOR_API_KEY: texts.TORPOR_API_KEY === '' ? '' : '[secret]' },
  }
}

/** One setting as `torpor config` shows it. */
export interface ConfigRow {
  readonly name: SettingName
  readonly value: string
  readonly default: string
  readonly unit: string
  readonly doc: string
}

export function describeConfig(config: Config, machine: Machine = thisMachine()): ConfigRow[] {
  return settings.map((setting) => ({
    name: setting.name,
    value: config.texts[setting.name],
    default: defaultText(setting, machine),
    unit: setting.unit,
    doc: setting.doc,
  }))
}
