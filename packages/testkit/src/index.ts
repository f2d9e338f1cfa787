export { type Installation, installTorpor } from './installation.ts'
export { pythonWith } from './python.ts'
export { type TestSettings, type TestWorld, bootWorld, sourceDirectory } from './world.ts'
export { type MortalServer, bootMortal } from './mortal.ts'
