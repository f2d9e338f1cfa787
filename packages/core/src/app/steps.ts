/** The steps of every work across several systems, in order: where a fault may strike. */
export const steps = {
  create: ['create recorded', 'create initialised', 'create committed'],
  pause: [
    'pause staged',
    'pause flushed',
    'pause frozen',
    'pause recorded',
    'pause captured',
    'pause synced',
    'pause committed',
    'pause ended',
  ],
  reboot: ['memory left out', 'memory forgotten'],
  resume: ['resume initialised', 'resume committed', 'resume thawed'],
  capture: ['capture staged', 'capture flushed', 'capture frozen', 'capture written', 'capture thawed', 'capture synced'],
  snapshot: ['snapshot recorded'],
  clone: ['clone captured', 'clone started'],
  reset: ['reset restored', 'reset committed', 'reset ended'],
  build: [
    'build booted',
    'build step ended',
    'build layer written',
    'build layer kept',
    'build started',
    'build captured',
    'build synced',
    'build finished',
  ],
  kill: ['kill withdrawn', 'kill destroyed', 'kill recorded', 'kill ended'],
} as const

export type Step = (typeof steps)[keyof typeof steps][number]
