export { openStore } from './sqlite-store.ts'
