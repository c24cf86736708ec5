package import Domain

extension BrokerBook {
    /// Decides a new price of `symbol`: resting orders that it touches get their plans. Changes nothing.
    package func setPrice(
        _ symbol: InstrumentID, _ price: Price, at now: UnixTime
    ) throws(BrokerRefusal) -> [BrokerRecord] {
        guard price.isPositive else {
            throw .invalidField(path: "price", reason: "PRICE_NOT_POSITIVE", problem: "must be above zero")
        }
        guard price.unscaled <= BookRules.maximumPriceDollars * 10_000 else { throw .priceOutOfRange }
        return [.priceSet(symbol, price, at: now)] + touch(behavior, symbol, at: price, from: now)
    }

    /// Decides how the price of `symbol` moves from now on. Changes nothing.
    package func setPath(_ symbol: InstrumentID, _ path: PricePath, at now: UnixTime) -> [BrokerRecord] {
        [.pathSet(symbol, path, at: now)] + touch(behavior, symbol, at: path.price(at: now), from: now)
    }

    /// Decides another behaviour: where orders fill by themselves from now on, those that could have do. Changes
    /// nothing.
    package func setBehavior(
        _ behavior: Behavior, _ origin: SettingOrigin, at now: UnixTime
    ) throws(BrokerRefusal) -> [BrokerRecord] {
        do { try behavior.validate() } catch { throw .invalidSetting(error.within("behavior")) }
        let plans = prices.keys.sorted().flatMap { symbol in
            touch(behavior, symbol, at: price(of: symbol, at: now) ?? .zero, from: now)
        }
        return [.behaviorSet(behavior, origin, at: now)] + plans
    }

    private func touch(
        _ behavior: Behavior, _ symbol: InstrumentID, at price: Price, from now: UnixTime
    ) -> [BrokerRecord] {
        // Where the market closes, a look finds out when they trade.
        guard behavior.fillMode == .marketable, behavior.sessionMode == .always else { return [] }
        return touched(symbol, at: price).compactMap { order in
            order.template.plan(order.leaves, price: price, from: now).map { .planned(order.id, $0, at: now) }
        }
    }
}
