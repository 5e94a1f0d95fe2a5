import Testing

@testable import Gateway

@Suite("Metrics for Prometheus")
struct MetricsPageTests {
    @Test("a page has a head for each metric, and labels that cannot break out")
    func page() {
        var page = MetricsPage()
        page.add("a_total", .counter, "Counts.", [(labels: [("name", "x\"y\\z\n")], value: 3), (labels: [("name", "b")], value: 4)])
        page.add("b", .gauge, "One.", 5)
        page.add("c", .gauge, "None.", [(labels: [(String, String)], value: Int)]())
        #expect(
            page.text == """
                # HELP a_total Counts.
                # TYPE a_total counter
                a_total{name="x\\"y\\\\z\\n"} 3
                a_total{name="b"} 4
                # HELP b One.
                # TYPE b gauge
                b 5

                """)
    }

    @Test("requests are counted by operation and outcome, also from many threads, and strangers' names are not taken over")
    func counters() async {
        let counters = RequestCounters()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 { group.addTask { for _ in 0..<1_000 { counters.count("GetSecretValue", status: 200, error: nil) } } }
        }
        counters.count("GetSecretValue", status: 400, error: "ResourceNotFoundException")
        counters.count("GetSecretValue", status: 400, error: "ThrottlingException")
        counters.count("{evil}", status: 503, error: nil)
        let all = counters.all.map { "\($0.labels.map { "\($0)=\($1)" }.joined(separator: ",")) \($0.value)" }
        #expect(
            all == [
                "operation=GetSecretValue,outcome=ok 8000", "operation=GetSecretValue,outcome=client_error 1",
                "operation=GetSecretValue,outcome=throttled 1", "operation=other,outcome=server_error 1",
            ])
    }
}
