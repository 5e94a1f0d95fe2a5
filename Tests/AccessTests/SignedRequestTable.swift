/// Requests with the signatures that another implementation of SigV4 (botocore 1.43) gives them: the key of AWS's examples, region
/// `us-east-1`, service `service`, 2015-08-30T12:36:00Z. Targets stand here as they go over the wire; ``SignedRequest`` adds the
/// headers `Host` and `X-Amz-Date`.
enum SignedRequestTable {
    static let headerForm: [SignedRequest] = [
        SignedRequest(
            "get-vanilla", "GET", "/", signedHeaders: "host;x-amz-date",
            signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        SignedRequest(
            "post-vanilla", "POST", "/", signedHeaders: "host;x-amz-date",
            signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        SignedRequest(
            "post JSON", "POST", "/", signedHeaders: "content-type;host;x-amz-date;x-amz-target",
            headers: [("Content-Type", "application/x-amz-json-1.1"), ("X-Amz-Target", "secretsmanager.GetSecretValue")],
            body: "{\"SecretId\":\"one\"}", signature: "b1f9eed9c9fd88dbcc49db814b7b440f62cda7f7435cf13ee4424d090703051c"),
        SignedRequest(
            "post JSON, empty object", "POST", "/", signedHeaders: "content-type;host;x-amz-date;x-amz-target",
            headers: [("Content-Type", "application/x-amz-json-1.1"), ("X-Amz-Target", "secretsmanager.GetSecretValue")],
            body: "{}", signature: "8e0f7bba647ba551423078b0f713960aac8bc96ff47821bee7de8f119d6c59d6"),
        SignedRequest(
            "post JSON, UTF-8 body", "POST", "/", signedHeaders: "content-type;host;x-amz-date;x-amz-target",
            headers: [("Content-Type", "application/x-amz-json-1.1"), ("X-Amz-Target", "secretsmanager.GetSecretValue")],
            body: "{\"SecretId\":\"Gr\u{fc}\u{df}e \u{2603}\"}",
            signature: "e692da01481c835b670c7e034abacbaaf5467f3a5689050d91794c73508974e6"),
        SignedRequest(
            "content-type with a parameter", "POST", "/", signedHeaders: "content-type;host;x-amz-date;x-amz-target",
            headers: [
                ("Content-Type", "application/x-amz-json-1.1; charset=utf-8"),
                ("X-Amz-Target", "secretsmanager.GetSecretValue"),
            ],
            body: "{}", signature: "88b7e42b5c7246b1c1b6656e9465c9906f9efc7544f90dd99cf6829d7378d2b6"),
        SignedRequest(
            "sdk invocation headers", "POST", "/",
            signedHeaders: "amz-sdk-invocation-id;amz-sdk-request;content-length;content-type;host;x-amz-date;x-amz-target",
            headers: [
                ("Content-Type", "application/x-amz-json-1.1"),
                ("X-Amz-Target", "secretsmanager.GetSecretValue"),
                ("amz-sdk-invocation-id", "0e0bd0a2-7a3e-4a4c-9d0e-5a6b7c8d9e0f"),
                ("amz-sdk-request", "attempt=1; max=3"),
                ("Content-Length", "2"),
            ],
            body: "{}", signature: "c60e999ce8255ba668edf6c94c708077819b329535cb7facc29f59d662f9991e"),
        SignedRequest(
            "content digest header", "POST", "/", signedHeaders: "content-type;host;x-amz-content-sha256;x-amz-date;x-amz-target",
            headers: [
                ("Content-Type", "application/x-amz-json-1.1"),
                ("X-Amz-Target", "secretsmanager.GetSecretValue"),
                ("X-Amz-Content-Sha256", "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"),
            ],
            body: "{}", signature: "5c33e5e01acb4980e6d7c1f2f30d8b4effda6e8d02d0eb5dc6aea27d51986506"),
        SignedRequest(
            "user agent beside it", "POST", "/", signedHeaders: "content-type;host;x-amz-date;x-amz-target",
            headers: [
                ("Content-Type", "application/x-amz-json-1.1"),
                ("X-Amz-Target", "secretsmanager.GetSecretValue"),
                ("User-Agent", "client/1.0"),
            ],
            body: "{}", signature: "8e0f7bba647ba551423078b0f713960aac8bc96ff47821bee7de8f119d6c59d6"),
        SignedRequest(
            "session token", "POST", "/", signedHeaders: "content-type;host;x-amz-date;x-amz-security-token;x-amz-target",
            headers: [
                ("Content-Type", "application/x-amz-json-1.1"),
                ("X-Amz-Target", "secretsmanager.GetSecretValue"),
                ("X-Amz-Security-Token", "an/example+session/token=="),
            ],
            body: "{}", signature: "f760554a4a9577da5feb530b6e91ddee28dfc1243a9de097661d7d96ca20d51d"),
        SignedRequest(
            "header names in odd case", "POST", "/", signedHeaders: "host;my-header;x-amz-date", headers: [("MY-hEADER", "value1")],
            signature: "e2476b8f1c0c7117f1e7638086cff12d51c35ee7a311d528ba7d058f4ce4f312"),
        SignedRequest(
            "blanks in a value", "POST", "/", signedHeaders: "host;my-header1;my-header2;x-amz-date",
            headers: [("My-Header1", "a   b   c"), ("My-Header2", "\"a   b   c\"")],
            signature: "4a7a1ba878c4d4656a496b4bd9c821e8034fc596ef2aadd9cd48f833f60bb7e3"),
        SignedRequest(
            "tabs in a value", "POST", "/", signedHeaders: "host;my-header1;x-amz-date",
            headers: [("My-Header1", "a\u{9} b\u{9}\u{9}c")],
            signature: "b489356e44211ccfdd93732c50ee6756431ec9a9bfcd235866d37886aa4aab69"),
        SignedRequest(
            "empty header value", "POST", "/", signedHeaders: "host;my-header1;x-amz-date", headers: [("My-Header1", "")],
            signature: "a6172de81511227210d4f69283cb9c809d9f8817cdf6f8510400e2e60b92a187"),
        SignedRequest(
            "two lines of one name", "POST", "/", signedHeaders: "host;my-header1;x-amz-date",
            headers: [("My-Header1", "value2"), ("My-Header1", "value1")],
            signature: "1ec6a780ec4b75714f40ef13ed3910b9db20d91555690aec210b3be0ee78abde"),
        SignedRequest(
            "three lines of one name, apart", "POST", "/", signedHeaders: "host;my-header1;other;x-amz-date",
            headers: [("My-Header1", "value4"), ("Other", "x"), ("My-Header1", "value1"), ("My-Header1", "value3")],
            signature: "7be62a7bd16963ab347eb148778989dc57bc84a1fedcc69fbff67c2b05c56efb"),
        SignedRequest(
            "comma in a value and two lines", "POST", "/", signedHeaders: "host;my-header1;x-amz-date",
            headers: [("My-Header1", "a, b"), ("My-Header1", "c")],
            signature: "dc1d46771ff50144746c506360de02b4638d8113cbcd5bdfdf08dbc03b8f5524"),
        SignedRequest(
            "UTF-8 header value", "POST", "/", signedHeaders: "host;my-header1;x-amz-date",
            headers: [("My-Header1", "na\u{ef}ve \u{2603}")],
            signature: "aad8d4182c98ffbbc2f7f9a8069e248e0359503e52dc8113971c471087c8cf4d"),
        SignedRequest(
            "header names that share a beginning", "POST", "/", signedHeaders: "a;a-b;a1;ab;host;x-amz-date",
            headers: [("a", "1"), ("a-b", "2"), ("ab", "3"), ("a1", "4")],
            signature: "4afc78dfa7148d8bec1acce49af715292a59cd14f36317cb474e92f049840fad"),
        SignedRequest(
            "path with unreserved characters", "GET", "/-._~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
            signedHeaders: "host;x-amz-date", signature: "98964e1079ce472101899439653197a4f6e602f30cd6aaf6c76d81b4fd9866fe"),
        SignedRequest(
            "path with two segments", "GET", "/one/two", signedHeaders: "host;x-amz-date",
            signature: "12cc11549b166b9aedc2ef190a4ce857e17999b67bd58c95b0b8b5d1c9f31898"),
        SignedRequest(
            "path with a last slash", "GET", "/one/two/", signedHeaders: "host;x-amz-date",
            signature: "504bdb3fb301d691c5bc2d94540b901bf7ed7f2c32241fd1fada114baee24a46"),
        SignedRequest(
            "path with repeated slashes", "GET", "//one//two//", signedHeaders: "host;x-amz-date",
            signature: "504bdb3fb301d691c5bc2d94540b901bf7ed7f2c32241fd1fada114baee24a46"),
        SignedRequest(
            "path with a dot segment", "GET", "/./one", signedHeaders: "host;x-amz-date",
            signature: "c8cf1ba6ef449545522dca81a6f01be48190978f82488271ea44dd5751fe86f9"),
        SignedRequest(
            "path up and down", "GET", "/one/two/../../three", signedHeaders: "host;x-amz-date",
            signature: "2a2ab0ddc5295368c281e63c5f348692848e90c4035225ad8893e37369d1bab6"),
        SignedRequest(
            "path above the root", "GET", "/../one", signedHeaders: "host;x-amz-date",
            signature: "c8cf1ba6ef449545522dca81a6f01be48190978f82488271ea44dd5751fe86f9"),
        SignedRequest(
            "path that ends at the root", "GET", "/one/..", signedHeaders: "host;x-amz-date",
            signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        SignedRequest(
            "path of dots and slashes", "GET", "/one/two/../..//./", signedHeaders: "host;x-amz-date",
            signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        SignedRequest(
            "path percent-encoded once on the wire", "GET", "/one%20two/%E1%88%B4", signedHeaders: "host;x-amz-date",
            signature: "0b8de16672e62762dea410c2c7488c5528d3a4c24f1d31acbdc844704c57f3be"),
        SignedRequest(
            "path with reserved characters", "GET", "/a+b,c;d=e:f@g!$()*'", signedHeaders: "host;x-amz-date",
            signature: "357d59e85b6977577e9a86ab27fe9167c1f082e1258a8ebfdc47e3e2d360dc4a"),
        SignedRequest(
            "path of three dots", "GET", "/.../x", signedHeaders: "host;x-amz-date",
            signature: "67106565ec337fb42129251cbb2456e8936243013640717292edf70af9100fec"),
        SignedRequest(
            "query of one parameter", "GET", "/?Param1=value1", signedHeaders: "host;x-amz-date",
            signature: "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"),
        SignedRequest(
            "query without a value", "GET", "/?Param1", signedHeaders: "host;x-amz-date",
            signature: "506693d22b79f51760ff2217fe207bb63f86e8f316bf6c217a3c65d33d15410a"),
        SignedRequest(
            "query with an empty value", "GET", "/?Param1=", signedHeaders: "host;x-amz-date",
            signature: "506693d22b79f51760ff2217fe207bb63f86e8f316bf6c217a3c65d33d15410a"),
        SignedRequest(
            "query sorted by name", "GET", "/?Param2=value2&Param1=value1", signedHeaders: "host;x-amz-date",
            signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
        SignedRequest(
            "query sorted by value", "GET", "/?Param1=value2&Param1=value10&Param1=Value1", signedHeaders: "host;x-amz-date",
            signature: "26ac5ee4c06a8bc24b6154d6b744e317823dc9ddcbf1cd7d01d5799a52fd0488"),
        SignedRequest(
            "query sorted by name before value", "GET", "/?a-=1&a=2", signedHeaders: "host;x-amz-date",
            signature: "834d293b676afbcc704d5d16c3a680009273a3ee33f3f3685fc9e6a0a4c39a22"),
        SignedRequest(
            "query of unreserved characters", "GET", "/?-._~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ=-._~",
            signedHeaders: "host;x-amz-date", signature: "0574272c0f769b02eb09ed33518f8befb4d2d63f5c5dc403311cc9fb4b6a1daa"),
        SignedRequest(
            "query with a plus", "GET", "/?a=b+c", signedHeaders: "host;x-amz-date",
            signature: "d7eba43676d0fb2680ba89fcfc66a9c5056820bf0a5b2ead7d3db03642ab11c3"),
        SignedRequest(
            "query with lower-case digits", "GET", "/?a=%e1%88%b4", signedHeaders: "host;x-amz-date",
            signature: "e413bd76cfc585a70ceaec054ee4e565a4c762482cbecfc4e58b842fab1bce21"),
        SignedRequest(
            "query encoded more than needed", "GET", "/?%61=%7e%62", signedHeaders: "host;x-amz-date",
            signature: "b9f306185e585aea53b3e45ef620e2384f45c350030345a2247c3777b7e11685"),
        SignedRequest(
            "query with a raw slash and colon", "GET", "/?arn=arn:aws:iam::1:root/x", signedHeaders: "host;x-amz-date",
            signature: "db91d5dd9c9b280006c9d33d9418419473c0dcb5678d637aeb0a101484f7e334"),
        SignedRequest(
            "query with an equals sign in a value", "GET", "/?a=b=c", signedHeaders: "host;x-amz-date",
            signature: "bd04800977503c61a562775203fd57986d4b5209699c101d60e6dd12e4d7d457"),
        SignedRequest(
            "query sorted after encoding", "GET", "/?%E1=1&z=2&A=3&%5E=4", signedHeaders: "host;x-amz-date",
            signature: "f302f657f31cbd232bdb5d48728b79240549f234ffd27f7d15c678a765dc135b"),
        SignedRequest(
            "query and body", "POST", "/?x=1&y=2", signedHeaders: "content-type;host;x-amz-date;x-amz-target",
            headers: [("Content-Type", "application/x-amz-json-1.1"), ("X-Amz-Target", "secretsmanager.GetSecretValue")],
            body: "{}", signature: "8353f4c170b165855d681040be4e4bc3038e334330f70084f2418a65327931f5"),
    ]

    static let presigned: [SignedRequest] = [
        SignedRequest(
            "presigned GET", "GET", query: "", expires: 60, signedHeaders: "host",
            signature: "ff4f668def1029a233d80421e3457840cfcd816fcbefa7af042f2ca8f117547c"),
        SignedRequest(
            "presigned POST", "POST", query: "", expires: 60, signedHeaders: "content-type;host;x-amz-target",
            headers: [("Content-Type", "application/x-amz-json-1.1"), ("X-Amz-Target", "secretsmanager.GetSecretValue")],
            body: "{\"SecretId\":\"one\"}", signature: "94b4a6e040dc879ac98938c56749f93c1a9c1e8f9f4d1b98ea539f27079e1acd"),
        SignedRequest(
            "presigned with other parameters", "GET", query: "b=2&a=1", expires: 300, signedHeaders: "host",
            signature: "f0bd2466ba14d71d3b944d5bd868cf1416705076c1c200a885e4f3359330690a"),
        SignedRequest(
            "presigned for an hour", "GET", query: "", expires: 3600, signedHeaders: "host",
            signature: "e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d"),
        SignedRequest(
            "presigned with a session token", "GET", query: "", expires: 60, signedHeaders: "host",
            token: "an/example+session/token==", signature: "e3f66f9cb7f8a9f6be17748f3bd08c5d930a041c09ada8ded625b080f938c014"),
    ]
}
