import Protobuf
import RPCCore
import Testing

@testable import RPCTool

@Suite struct PayloadTests {
    @Test(arguments: [
        ("{\"a\":{{n}}}", "{\"a\":7}"), ("{{ n }}/{{worker}}", "7/3"), ("{\"a\":{\"b\":{}}}", "{\"a\":{\"b\":{}}}"),
        ("{{\"a\":1}}", "{{\"a\":1}}"), ("{{", "{{"), ("{{}}", "{{}}"),
        ("{\"a\":{{\"{{n}}\":1}}}", "{\"a\":{{\"7\":1}}}"), ("{{random 5 5}}", "5"), ("", ""),
    ])
    func putsVariablesIn(_ text: String, _ expected: String) throws {
        #expect(try PayloadTemplate(text).text(call: 7, worker: 3) == expected)
    }

    @Test(arguments: ["{{m}}", "{{random}}", "{{random 2 1}}", "{{.RequestNumber}}", "{{random a b}}"])
    func refuses(_ text: String) {
        #expect(throws: ToolFailure.self) { try PayloadTemplate(text) }
    }

    @Test func randomNumbersStayInTheirRange() throws {
        let template = try PayloadTemplate("{{random -2 2}}")
        for _ in 0..<100 {
            let number = try #require(Int(template.text(call: 0, worker: 0)))
            #expect((-2...2).contains(number))
        }
        let uuid = try PayloadTemplate("{{uuid}}")
        #expect(uuid.text(call: 0, worker: 0) != uuid.text(call: 0, worker: 0))
    }

    @Test func severalRequestsAreSentInTurn() throws {
        let find = try #require(Test_Tool_ShopMethods.schema.method(named: "Find"))
        let payload = try LoadPayload(
            #"{"name":"a"} {"name":"b"}"#, headers: ["x-n: {{n}}"], MessageText(), for: find)
        let names = try (0..<3).map {
            try payload.messages(call: $0, worker: 0).map { try Test_Tool_FindRequest(decoding: $0).name }
        }
        #expect(names == [["a"], ["b"], ["a"]])
        #expect(try payload.metadata(call: 5, worker: 0)["x-n"] == "5")
    }

    @Test func aStreamGetsAllRequests() throws {
        let sum = try #require(Test_Tool_ShopMethods.schema.method(named: "Sum"))
        #expect(try LoadPayload("{}{}{}", headers: [], MessageText(), for: sum).messages(call: 1, worker: 0).count == 3)
        #expect(try LoadPayload("", headers: [], MessageText(), for: sum).messages(call: 1, worker: 0).isEmpty)
        let find = try #require(Test_Tool_ShopMethods.schema.method(named: "Find"))
        #expect(throws: ToolFailure.self) { try LoadPayload("", headers: [], MessageText(), for: find) }
    }
}
