export { type FakeEngine, type FakeEngineOptions, createFakeEngine } from './fake-engine.ts'
export { FakeFaults, type Held, type Verb, type VerbCall } from './fake-faults.ts'
export { type FakeIdentity, type FakeMemory } from './fake-memory.ts'
export { FakeMachine } from './fake-machine.ts'
