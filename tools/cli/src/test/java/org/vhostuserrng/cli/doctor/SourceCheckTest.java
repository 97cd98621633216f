package org.vhostuserrng.cli.doctor;

import static org.vhostuserrng.cli.doctor.CheckStatus.NOT_CHECKED;
import static org.vhostuserrng.cli.doctor.CheckStatus.OK;
import static org.vhostuserrng.cli.doctor.CheckStatus.PROBLEM;
import static org.vhostuserrng.cli.doctor.FakeHost.OTHER_USER;
import static org.vhostuserrng.cli.doctor.FakeHost.assertResult;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SourceCheckTest {
    @TempDir
    private Path root;

    private FakeHost host;

    @BeforeEach
    void makeHost() throws IOException {
        host = new FakeHost(root);
    }

    private List<CheckResult> check(List<Map<String, String>> states, String... sources) {
        return new SourceCheck(states, List.of(sources), Optional.of(OTHER_USER), host.files(), _ -> {}).run();
    }

    @ParameterizedTest
    @CsvSource({
        "serves, OK",
        "empty, OK",
        "unused, OK",
        "quarantined, PROBLEM",
        "silent, PROBLEM",
        "failed, PROBLEM",
        "failed its health tests, PROBLEM",
        "asleep, NOT_CHECKED"
    })
    void stateThatTheDaemonTellsIsJudged(String state, CheckStatus status) {
        Map<String, String> source = Map.of("source", "file:/dev/hwrng", "state", state);

        assertResult(status, "file:/dev/hwrng: " + state, check(List.of(source)).getFirst());
    }

    @Test
    void missingFileIsAProblem() {
        assertResult(
                PROBLEM,
                "/dev/hwrng does not exist",
                check(List.of(), "file:/dev/hwrng").getFirst());
    }

    @Test
    void fileThatTheDaemonMayNotReadIsAProblem() throws IOException {
        host.file("/dev/hwrng", "");
        host.chmod("/dev/hwrng", "rw-rw----");

        assertResult(
                PROBLEM,
                "may not read /dev/hwrng",
                check(List.of(), "file:/dev/hwrng").getFirst());
    }

    @Test
    void filesWithinAnExpressionAndFallbacksAreChecked() throws IOException {
        host.file("/dev/a", "");
        host.chmod("/dev/a", "rw-r--r--");
        List<CheckResult> results = check(List.of(), "xor(file:/dev/a,drbg(file:/dev/b+rdseed)), else file:/dev/c");

        assertResult(OK, "may read /dev/a", results.get(0));
        assertResult(PROBLEM, "/dev/b does not exist", results.get(1));
        assertResult(PROBLEM, "/dev/c does not exist", results.get(2));
    }

    @Test
    void unixSocketOfAnEgdServerNeedsWritePermission() throws IOException {
        host.file("/run/egd.sock", "");
        host.chmod("/run/egd.sock", "rw-r--r--");

        assertResult(
                PROBLEM,
                "may not write to /run/egd.sock",
                check(List.of(), "egd:unix:/run/egd.sock").getFirst());
    }

    @Test
    void fileIsNotCheckedForAnUnknownUser() throws IOException {
        host.file("/dev/hwrng", "");
        SourceCheck check =
                new SourceCheck(List.of(), List.of("file:/dev/hwrng"), Optional.empty(), host.files(), _ -> {});

        assertResult(NOT_CHECKED, "user is not known", check.run().getFirst());
    }

    @Test
    void sourceThatCannotBeProbedIsAProblem() {
        SourceCheck check = new SourceCheck(List.of(), List.of(), Optional.empty(), host.files(), _ -> {
            throw new IOException("Function not implemented");
        });

        assertResult(PROBLEM, "getrandom: Function not implemented", check.run().getFirst());
    }
}
