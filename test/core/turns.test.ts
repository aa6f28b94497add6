import { describe, expect, it } from 'vitest'
import { Turns } from '../../dist/src/core/turns.js'

describe('turns', () => {
  it('come in the order of asking, and nobody slips in between', async () => {
    const turns = new Turns()
    const order: number[] = []
    await turns.enter()
    const waiting = [1, 2, 3].map(async (n) => {
      await turns.enter()
      order.push(n)
      turns.leave()
    })
    turns.leave()
    expect(turns.tryEnter()).toBe(false)
    await Promise.all(waiting)
    expect(order).toEqual([1, 2, 3])
    expect(turns.tryEnter()).toBe(true)
  })

  it('are given up when the signal fires, without holding up the next', async () => {
    const turns = new Turns()
    await turns.enter()
    const abort = new AbortController()
    const first = turns.enter(abort.signal)
    const second = turns.enter()
    abort.abort(new Error('enough'))
    await expect(first).rejects.toThrow('enough')
    await expect(turns.enter(abort.signal)).rejects.toThrow('enough')
    turns.leave()
    await second
    turns.leave()
    expect(turns.isFree).toBe(true)
  })

  it('are refused to those who wait when it closes', async () => {
    const turns = new Turns(2)
    expect(turns.tryEnter() && turns.tryEnter()).toBe(true)
    const waiting = turns.enter()
    turns.refuseWaiting(new Error('closed'))
    await expect(waiting).rejects.toThrow('closed')
    turns.leave()
    expect(turns.isFree).toBe(true)
  })

  it('keep sections apart, also after one that fails', async () => {
    const turns = new Turns()
    const steps: string[] = []
    const section = (name: string) =>
      turns.run(async () => {
        steps.push(`${name} begins`)
        await new Promise((resolve) => setImmediate(resolve))
        steps.push(`${name} ends`)
        if (name === 'a') {
          throw new Error('failed')
        }
        return name
      })
    const [first, second] = await Promise.allSettled([section('a'), section('b')])
    expect(first.status).toBe('rejected')
    expect(second).toEqual({ status: 'fulfilled', value: 'b' })
    expect(steps).toEqual(['a begins', 'a ends', 'b begins', 'b ends'])
  })
})
