package import Domain

/// Why the broker refuses a request. `Errors.swift` says what a caller sees of it.
package enum BrokerRefusal: Error, Hashable, Sendable {
    // The request itself is wrong.
    case invalidField(path: String, reason: ReasonCode, problem: String)
    case unknownSymbol(InstrumentID)
    case quantityTooLarge(limitShares: Int64)
    case priceOffTick(tick: Price)
    case priceOutOfRange
    case positionLimit
    case insufficientBuyingPower(needed: Money, available: Money)
    case insufficientShares(available: Quantity)
    /// This broker has no client order ids.
    case clientIDsUnsupported(path: String)

    // The id was used before.
    case duplicateID(order: BrokerOrderID, status: BookOrderStatus)
    case idReused(ClientOrderID)

    // The order is not there, or not open.
    case unknownOrder
    case alreadyFilled(BrokerOrderID)
    case alreadyCanceled(BrokerOrderID)
    case alreadyExpired(BrokerOrderID)
    case alreadyRejected(BrokerOrderID)
    case cancelPending(BrokerOrderID)
    case replacePending(BrokerOrderID)
    case suspended(BrokerOrderID)
    /// A replacement names an id that the order does not have any more.
    case idOutdated(latest: ClientOrderID)
    /// A replacement of an order that fills at once or not at all.
    case replaceImmediate
    /// A replacement asks for no more than is filled.
    case replaceBelowFilled(filled: Quantity)
    case fillTooLarge(leaves: Quantity)
    case unknownExecution(BrokerExecutionID)
    case alreadyBusted(BrokerExecutionID)
    /// The execution was corrected; only its latest form can be voided or corrected.
    case executionOutdated(latest: BrokerExecutionID)
    case nothingToCorrect
    case tooManyExecutions(limit: Int)
    /// A rule says so.
    case told(ReasonCode, String)

    // The feed.
    case unknownCursor
    case unknownPageToken
    case tradeDateNotOver(CivilDate)

    // The broker cannot take more, or has failed.
    case busy
    case bookFull(limit: Int)
    case stopping
    case storeFailed

    // Settings.
    case invalidSetting(InvalidSetting)
    case unknownNamespace(String)
    case namespaceExists(String)
    case tooManyNamespaces(limit: Int)
    case unknownRule(String)
    case unknownPreset(String, known: [String])
    case tooManyRules(limit: Int)
}
