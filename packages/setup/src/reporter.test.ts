import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { reporterFor } from './reporter.ts'

function output(isTTY: boolean) {
  let text = ''
  return { isTTY, columns: 40, write: (part: string) => (text += part), text: () => text }
}

describe('reporters', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('writes plain lines where there is no terminal', () => {
    const out = output(false)
    const reporter = reporterFor(out)
    reporter.started('engine')
    reporter.noted('installing Debian packages: nftables')
    reporter.finished('engine', 1234)
    reporter.close()
    expect(out.text()).toBe('engine: started\ninstalling Debian packages: nftables\nengine: done in 1.2 s\n')
  })

  it('moves one line on a terminal, no longer than the terminal is wide, and ends clean', () => {
    const out = output(true)
    const reporter = reporterFor(out)
    reporter.started('a step with a long name')
    reporter.started('another step with a long name')
    vi.advanceTimersByTime(1000)
    // oxlint-disable-next-line no-control-regex -- these are the terminal's own sequences
    const visible = out.text().split(/\r\u001b\[K/)
    expect(Math.max(...visible.map((line) => line.length))).toBeLessThan(40)
    reporter.finished('a step with a long name', 10)
    reporter.failed('another step with a long name', 20)
    expect(out.text()).toContain('✔')
    expect(out.text().endsWith('\n')).toBe(true)
    const length = out.text().length
    vi.advanceTimersByTime(1000)
    reporter.close()
    expect(out.text()).toHaveLength(length)
  })
})
