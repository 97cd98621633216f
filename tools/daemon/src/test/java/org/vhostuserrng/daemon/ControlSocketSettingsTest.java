package org.vhostuserrng.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.transport.vhostuser.ListenerAccess;

class ControlSocketSettingsTest {
    private static final String SOCKET = "--control-socket=/run/rng.ctl";

    private static ControlSocketSettings settings(String... options) throws BadUsageException {
        return ControlSocketSettings.of(DaemonArguments.parse(DaemonCommand.PROGRAM, DaemonOptions.all(), options));
    }

    @Test
    void thereIsNoControlSocketByDefault() throws BadUsageException {
        assertNull(settings());
    }

    @Test
    void onlyTheOwnerMayConnectByDefault() throws BadUsageException {
        ControlSocketSettings settings = settings(SOCKET);

        assertEquals(0600, settings.access().mode());
        assertEquals(ListenerAccess.UNCHANGED, settings.access().group());
    }

    @Test
    void aGroupMayConnectUnlessAModeSaysOtherwise() throws BadUsageException {
        ControlSocketSettings group = settings(SOCKET, "--control-socket-group=7");
        ControlSocketSettings both = settings(SOCKET, "--control-socket-group=7", "--control-socket-mode=0640");

        assertEquals(0660, group.access().mode());
        assertEquals(7, group.access().group());
        assertEquals(0640, both.access().mode());
    }

    @ParameterizedTest
    @ValueSource(strings = {"--control-socket-mode=0660", "--control-socket-group=root"})
    void permissionsNeedASocket(String option) {
        BadUsageException refused = assertThrows(BadUsageException.class, () -> settings(option));

        assertTrue(refused.getMessage().endsWith(": expected only with --control-socket=PATH"), refused::getMessage);
    }

    @Test
    void onlyRootAndTheUserOfTheDaemonMayChangeSomething() {
        ControlAuthorization authorization = new ControlAuthorization(107);

        assertTrue(authorization.mayChange(0));
        assertTrue(authorization.mayChange(107));
        assertEquals(false, authorization.mayChange(108));
        assertEquals(false, authorization.mayChange(-1));
    }
}
