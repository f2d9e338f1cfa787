import { start } from './start.ts'

await start('novita-sandbox-cli')
