package org.vhostuserrng.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.apache.commons.cli.Option;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.daemon.hold.ServiceSettings;

class HoldCommandTest {
    private static final int OPEN_FILES = 20_000;

    private static ServiceSettings settings(String... options) throws BadUsageException {
        DaemonArguments arguments = DaemonArguments.parse(HoldCommand.PROGRAM, HoldOptions.all(), options);
        return HoldCommand.settings(arguments, List.of("true"), OPEN_FILES, 3);
    }

    private static String refusal(String... options) {
        return assertThrows(BadUsageException.class, () -> settings(options)).getMessage();
    }

    @Test
    void theStoreIsAsLargeAsTheLimitOfOpenFilesAllows() throws BadUsageException {
        assertEquals(OPEN_FILES - 512 - 3, settings().maxFds());
    }

    @Test
    void aStoreThatTheLimitOfOpenFilesDoesNotAllowIsRefused() {
        assertEquals(
                "--max-fds='20000': expected a number from 1 to 19485, because the hard limit of open files"
                        + " (ulimit -Hn) is 20000",
                refusal("--max-fds=20000"));
    }

    @Test
    void thereIsNoWatchdogByDefault() throws BadUsageException {
        assertEquals(0, settings().watchdogMicros());
    }

    @Test
    void theWatchdogIsInSeconds() throws BadUsageException {
        assertEquals(2_000_000, settings("--watchdog=2").watchdogMicros());
    }

    @Test
    void aBadValueIsReportedWithOptionValueAndRange() {
        assertEquals(
                "--watchdog='0': expected a number from 1 to 86400 (s), or a time with us, ms, s or min",
                refusal("--watchdog=0"));
        assertEquals(
                "--stop-timeout='x': expected a number from 1 to 86400 (s), or a time with us, ms, s or min",
                refusal("--stop-timeout=x"));
        assertEquals("--max-fds='0': expected a number from 1 to 65536", refusal("--max-fds=0"));
    }

    @Test
    void aWordBeforeTheCommandIsRefused() {
        assertEquals("'sleep': expected options only, then -- and the command to run", refusal("sleep"));
    }

    @Test
    void anUnknownOptionNamesTheHelpOfHold() {
        assertEquals("--fds=1: unknown option; see vhost-user-rng hold --help", refusal("--fds=1"));
    }

    @Test
    void helpDescribesEachOption() {
        for (Option option : HoldOptions.all().getOptions()) {
            assertTrue(DaemonHelp.ofHold().contains(DaemonArguments.syntax(option)), option.getLongOpt());
        }
    }
}
