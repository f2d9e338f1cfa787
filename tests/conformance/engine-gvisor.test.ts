import { describeEngine } from './engine.ts'
import { gvisorUnderTest } from './engine/gvisor-under-test.ts'

describeEngine('gVisor', gvisorUnderTest)
