import Limits
import Testing

@Test func aWakeUpBeforeTheWaitIsKeptOnce() async {
    let wakeUp = WakeUp()
    wakeUp.wake()
    wakeUp.wake()
    await wakeUp.wait()  // Returns at once, or the test never ends.
    let start = ContinuousClock.now
    await wakeUp.wait(atMost: .milliseconds(20))
    #expect(start.duration(to: .now) >= .milliseconds(20))
}

@Test func aWaiterIsWokenAndACancelledOneReturns() async {
    let wakeUp = WakeUp()
    let waiter = Task { await wakeUp.wait() }
    wakeUp.wake()
    await waiter.value
    let cancelled = Task { await wakeUp.wait(atMost: .seconds(3600)) }
    cancelled.cancel()
    await cancelled.value
}
