import Limits
import Testing

@Test func theReaderTakesWhatWaitsInOrder() async {
    let channel = BatchChannel<Int>(capacity: 10)
    for number in 1...5 { #expect(await channel.send(number)) }
    #expect(await channel.receiveBatch(maximum: 3) == [1, 2, 3])
    #expect(await channel.receiveBatch(maximum: 3) == [4, 5])
    channel.finish()
    #expect(await channel.receiveBatch(maximum: 3) == nil)
    #expect(await channel.send(6) == false)
}

@Test func aFullChannelMakesWritersWaitAndLosesNothing() async {
    let channel = BatchChannel<Int>(capacity: 4)
    let received = await withTaskGroup(of: [Int].self) { group in
        for writer in 0..<8 {
            group.addTask {
                for number in 0..<100 { _ = await channel.send(writer * 1000 + number) }
                return []
            }
        }
        group.addTask {
            var received: [Int] = []
            while received.count < 800, let batch = await channel.receiveBatch(maximum: 3) {
                #expect(batch.count <= 3)
                received += batch
            }
            return received
        }
        return await group.reduce(into: []) { $0 += $1 }
    }
    #expect(received.count == 800)
    for writer in 0..<8 {
        #expect(received.filter { $0 / 1000 == writer } == (0..<100).map { writer * 1000 + $0 })
    }
}

@Test func cancellationEndsBothWaits() async {
    let channel = BatchChannel<Int>(capacity: 1)
    let reader = Task { await channel.receiveBatch(maximum: 1) }
    reader.cancel()
    #expect(await reader.value == nil)
    #expect(channel.trySend(1) == true)
    #expect(channel.trySend(2) == nil)
    let writer = Task { await channel.send(2) }
    writer.cancel()
    #expect(await writer.value == false)
    #expect(await channel.receiveBatch(maximum: 9) == [1])
}

@Test func finishingReleasesWaitingWriters() async {
    let channel = BatchChannel<Int>(capacity: 1)
    #expect(channel.trySend(1) == true)
    async let sent = channel.send(2)
    channel.finish()
    #expect(await sent == false)
    #expect(await channel.receiveBatch(maximum: 9) == [1])
}
