# Counts the tests in CTest's JUnit reports, one report a build: a Criterion program counts as many tests as it says
# it ran, any other program as one. Prints a line a build and then the total, in which each test counts once, and
# failed when it failed in any build. Fails when a test failed or none ran.

function number_after(word,    rest) {
    rest = $0
    sub(".*" word ": *", "", rest)
    return rest + 0
}

function attribute(word,    rest) {
    rest = $0
    sub(".* " word "=\"", "", rest)
    sub("\".*", "", rest)
    return rest
}

function end_build() {
    if (build != "") print build ": " build_passed " passed, " build_failed " failed"
    build_passed = build_failed = 0
}

FNR == 1 {
    end_build()
    build = FILENAME
    sub("/[^/]*$", "", build)
    sub(".*/", "", build)
}

/<testcase / {
    name = attribute("name")
    status = attribute("status")
    tested = wrong = 0
}

/Synthesis: Tested: / {
    tested += number_after("Tested")
    wrong += number_after("Failing")
}

/<\/testcase>/ && status != "disabled" {
    # A program that failed by itself (it crashed, ran out of time, found no test, leaked) is a failure too.
    if (status != "run" && wrong == 0) wrong = 1
    if (tested < wrong || tested == 0) tested = wrong > 0 ? wrong : 1
    build_passed += tested - wrong
    build_failed += wrong
    if (tested > all_tested[name]) all_tested[name] = tested
    if (wrong > all_wrong[name]) all_wrong[name] = wrong
}

END {
    end_build()
    for (name in all_tested) {
        failed += all_wrong[name]
        passed += all_tested[name] - all_wrong[name]
    }
    print passed + 0 " passed, " failed + 0 " failed"
    exit(failed > 0 || passed == 0)
}
