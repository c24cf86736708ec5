import Protobuf
import TestMessages

/// Messages with something in every field.
enum Samples {
    static let scalars = Scalars(
        double: -1.5, float: 0.25, int32: .min, int64: .min, uint32: .max, uint64: .max, sint32: -2, sint64: .min,
        fixed32: .max, fixed64: .max, sfixed32: .min, sfixed64: .min, bool: true, string: "héllo, 세계",
        bytes: [0, 255, 0], color: .negative)

    static let optionals = Optionals(
        double: 0, float: 0, int32: 0, int64: 0, uint32: 0, uint64: 0, sint32: 0, sint64: 0, fixed32: 0, fixed64: 0,
        sfixed32: 0, sfixed64: 0, bool: false, string: "", bytes: [], color: .unspecified, message: Scalars())

    static let repeated = Repeated(
        double: [1, -0.0, .infinity], float: [1.5], int32: [0, 1, -1, .max, .min], int64: [0, 300, -1, .min],
        uint32: [0, 127, 128, .max], uint64: [.max, 0], sint32: [0, -1, 1, .min], sint64: [.max, .min],
        fixed32: [7, 8], fixed64: [9], sfixed32: [-1, 1], sfixed64: [.min], bool: [true, false, true],
        string: ["", "a", "b"], bytes: [[], [1], [2, 3]], color: [.red, .unrecognized(99), .negative],
        message: [scalars, Scalars(), Scalars(int32: 5)], notPacked: [1, 0, -1])

    static let maps = Maps(
        int32: [-1: 1, 0: 0], int64: [.min: 1], uint32: [.max: 2], uint64: [3: .max], sint32: [-4: 4],
        sint64: [5: -5], fixed32: [6: 6], fixed64: [7: 7], sfixed32: [-8: 8], sfixed64: [-9: 9],
        bool: [true: false, false: true], string: ["k": "v", "": ""], bytes: ["b": [1, 2]],
        color: ["c": .green, "z": .unspecified], message: ["m": scalars, "n": Scalars()], double: ["pi": 3.14],
        float: ["half": 0.5])

    static let choices: [Choices] = [
        Choices(before: 1, choice: .number(0), after: 2),
        Choices(choice: .number(-7)),
        Choices(choice: .text("")),
        Choices(choice: .text("chosen"), second: .right("")),
        Choices(choice: .data([])),
        Choices(choice: .data([9, 0]), second: .left("l")),
        Choices(choice: .color(.unspecified)),
        Choices(choice: .color(.unrecognized(77))),
        Choices(choice: .message(Scalars())),
        Choices(choice: .message(scalars)),
        Choices(choice: .flag(false)),
        Choices(choice: .real(0)),
        Choices(),
    ]

    static let tree = Node(
        name: "root", child: Node(name: "child", child: Node(name: "grandchild")),
        children: [Node(name: "a"), Node(), Node(name: "b", children: [Node(name: "c")])],
        named: ["x": Node(name: "X"), "y": Node()],
        link: .next(Node(link: .address("here"))),
        pair: Pair(left: Node(name: "left"), right: Node(pair: Pair())))

    static let imports = Imports(
        outer: Shared_Outer(text: "t", inner: Shared_Outer.Inner(number: 1)), inner: Shared_Outer.Inner(number: 2),
        kind: .special, local: Imports.Local(text: "local", deep: Imports.Local.Deep(number: 3)))

    static let names = Names(
        selfField: "1", default: "2", unknownFieldsField: "3", view: "4", builder: "5", orderID: "6", ids: "7",
        x1: "8", url: "9", hashValueField: "10", mixedCase: "11", renamed: "12", type: .func("14"),
        ofType: Names.TypeMessage(in: "15"), protocol: .protocol1x)

    static let sparse = Sparse(last: "l", first: "f", middle: "m", second: "s")

    static let all: [any Message] =
        [
            scalars, Scalars(), optionals, Optionals(), repeated, Repeated(), maps, Maps(), tree, Node(), imports,
            names,
            sparse, Empty(), Narrow(int32: 1, string: "n"),
        ] + choices.map { $0 as any Message }
}
