export { type Config, ConfigError, type ConfigRow, describeConfig, loadConfig } from './config.ts'
export { type Environment, forgetSecrets, processEnvironment, searchPath } from './env.ts'
export { Secret } from './secret.ts'
export { type Secrets, loadSecrets, readApiKey } from './secrets.ts'
