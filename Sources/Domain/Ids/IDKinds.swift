/// The kinds of id there are; use them through the aliases below.
public enum IDKinds {
    public enum Customer: IDKind {}
    public enum Account: IDKind {}
    public enum Order: IDKind {}
    /// At most 36 of `[0-9A-Za-z-]`, the strictest of the brokers' rules.
    public enum ClientOrder: IDKind {
        public static var maximumLength: Int { 36 }
        public static func allows(_ character: UInt8) -> Bool {
            switch character {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
    }
    public enum Broker: IDKind {}
    public enum BrokerOrder: IDKind { public static var maximumLength: Int { 128 } }
    public enum BrokerExecution: IDKind { public static var maximumLength: Int { 128 } }
    public enum Execution: IDKind {}
    public enum Hold: IDKind {}
    public enum Instrument: IDKind {}
    public enum JournalEntry: IDKind {}
    /// The key of one money operation, for example `exchange/withdraw/apply`.
    public enum Operation: IDKind { public static var maximumLength: Int { 160 } }
    public enum Exchange: IDKind {}
    public enum Quote: IDKind {}
    public enum Rate: IDKind {}
    public enum Event: IDKind { public static var maximumLength: Int { 160 } }
}

public typealias CustomerID = ID<IDKinds.Customer>
/// A customer's account, in which orders are placed.
public typealias AccountID = ID<IDKinds.Account>
/// Our own order id.
public typealias OrderID = ID<IDKinds.Order>
/// The id under which an order, a cancel or a replace travels to the broker: one per intent, the same in every attempt.
public typealias ClientOrderID = ID<IDKinds.ClientOrder>
public typealias BrokerID = ID<IDKinds.Broker>
public typealias BrokerOrderID = ID<IDKinds.BrokerOrder>
/// The broker's own id of an execution, unique at that broker.
public typealias BrokerExecutionID = ID<IDKinds.BrokerExecution>
/// Our id of an execution: a function of broker and broker's execution id.
public typealias ExecutionID = ID<IDKinds.Execution>
public typealias HoldID = ID<IDKinds.Hold>
/// A tradable instrument, for example `AAPL`.
public typealias InstrumentID = ID<IDKinds.Instrument>
public typealias JournalEntryID = ID<IDKinds.JournalEntry>
public typealias OperationKey = ID<IDKinds.Operation>
public typealias ExchangeID = ID<IDKinds.Exchange>
public typealias QuoteID = ID<IDKinds.Quote>
public typealias RateID = ID<IDKinds.Rate>
public typealias EventID = ID<IDKinds.Event>

extension ID where Kind == IDKinds.Execution {
    /// The one id that this execution of this broker has, in every process and after every replay.
    public init(broker: BrokerID, execution: BrokerExecutionID) {
        self.init(derivedFrom: "execution", broker.text, execution.text)
    }
}
