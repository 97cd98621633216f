package org.vhostuserrng.daemon.hold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ServiceNotificationTest {
    private static ServiceNotification parse(String datagram) {
        return ServiceNotification.parse(datagram);
    }

    @Test
    void theStatusComesWithTheStateOfTheService() {
        ServiceNotification ready = parse("READY=1\nSTATUS=listening on /run/rng.sock");

        assertTrue(ready.ready());
        assertEquals("listening on /run/rng.sock", ready.status());
        assertFalse(ready.stopping() || ready.watchdog() || ready.storesFds() || ready.removesFds());
    }

    @Test
    void storedDescriptorsHaveANameAndArePolledByDefault() {
        ServiceNotification store = parse("FDSTORE=1\nFDNAME=guest-1");

        assertTrue(store.storesFds() && store.fdPoll());
        assertEquals("guest-1", store.fdName());
    }

    @Test
    void pollingIsDisabledByFdPoll0() {
        assertFalse(parse("FDPOLL=0\nFDSTORE=1").fdPoll());
    }

    @Test
    void removingHasPriorityOverStoring() {
        ServiceNotification both = parse("FDSTORE=1\nFDSTOREREMOVE=1\nFDNAME=a");

        assertTrue(both.removesFds());
        assertFalse(both.storesFds());
    }

    @Test
    void aBarrierIsAloneInItsDatagram() {
        ServiceNotification barrier = parse("READY=1\nBARRIER=1\nFDSTORE=1");

        assertTrue(barrier.barrier());
        assertFalse(barrier.ready() || barrier.storesFds());
    }

    @ParameterizedTest
    @ValueSource(strings = {"a:b", "a\tb", "a\u007fb", "é"})
    void aNameWithOtherCharactersIsNotUsed(String name) {
        ServiceNotification store = parse("FDSTORE=1\nFDNAME=" + name);

        assertTrue(store.storesFds());
        assertNull(store.fdName());
    }

    @Test
    void aNameHasAtMost255Characters() {
        assertEquals(255, parse("FDNAME=" + "n".repeat(255)).fdName().length());
        assertNull(parse("FDNAME=" + "n".repeat(256)).fdName());
    }

    @Test
    void theFirstOfSeveralNamesCounts() {
        assertEquals("a", parse("FDNAME=a\nFDNAME=b").fdName());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "\n\n", "=", "READY", "READY=2", "ready=1", " READY=1", "UNKNOWN=1", "READY=1\0\nREADY=1"})
    void whatIsNotKnownHasNoEffect(String datagram) {
        assertEquals(parse(""), parse(datagram));
    }

    @Test
    void aNulAtTheEndIsPermitted() {
        assertTrue(parse("READY=1\0").ready());
    }
}
