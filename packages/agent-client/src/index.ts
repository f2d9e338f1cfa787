export { createAgentClient } from './agent-client.ts'
