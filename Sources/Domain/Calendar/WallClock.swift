enum WallClock {
    static func date(at time: UnixTime, offsetSeconds: Int) -> CivilDate {
        CivilDate(epochDay: Int32(UnixTime.floorDivide(time.seconds + Int64(offsetSeconds), 86_400)))
    }

    static func secondOfDay(at time: UnixTime, offsetSeconds: Int) -> Int {
        let local = time.seconds + Int64(offsetSeconds)
        return Int(local - UnixTime.floorDivide(local, 86_400) * 86_400)
    }

    static func instant(_ date: CivilDate, minutes: Int, offsetSeconds: Int) -> UnixTime {
        UnixTime(seconds: Int64(date.epochDay) * 86_400 + Int64(minutes * 60 - offsetSeconds))
    }
}
