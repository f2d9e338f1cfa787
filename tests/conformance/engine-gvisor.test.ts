import { describeEngine } from './engine.ts'
import { gvisorUnderTest } from './engine/gvisor-under-test.ts'

describeEngine('gVisor, images share blocks', () => gvisorUnderTest('shared'))
describeEngine('gVisor, bytes are copied', () => gvisorUnderTest('copied'))
