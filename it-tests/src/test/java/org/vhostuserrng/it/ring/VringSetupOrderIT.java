package org.vhostuserrng.it.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.FrontendGuestMemory;
import org.vhostuserrng.frontend.FrontendMemoryRegion;
import org.vhostuserrng.frontend.FrontendMemoryRegion.Sealing;
import org.vhostuserrng.frontend.FrontendRequestq;
import org.vhostuserrng.frontend.FrontendSession;
import org.vhostuserrng.frontend.VirtioFeatureBit;
import org.vhostuserrng.it.fixture.EventualAssertions;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/**
 * Tests the order of the messages that configure a ring: every order must work, because the vhost-user specification
 * does not define one.
 */
class VringSetupOrderIT {
    private static final int ORDERS = 60;
    private static final int BASE = 7;

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    @FunctionalInterface
    private interface SetupStep {
        void send() throws IOException;
    }

    private static List<SetupStep> steps(EntropyDriver guest, int base) {
        FrontendSession session = guest.session();
        FrontendRequestq requestq = guest.requestq();
        return List.of(
                () -> session.setMemTable(guest.memory()),
                () -> session.setVringNum(
                        FrontendRequestq.INDEX, requestq.addresses().queueSize()),
                () -> session.setVringBase(FrontendRequestq.INDEX, base),
                () -> session.setVringAddr(FrontendRequestq.INDEX, requestq.addresses(), guest.memory()),
                () -> session.setVringKick(FrontendRequestq.INDEX, requestq.kick()),
                () -> session.setVringCall(FrontendRequestq.INDEX, requestq.call()),
                () -> session.setVringEnable(FrontendRequestq.INDEX, true));
    }

    private static void sendShuffled(List<SetupStep> steps, long seed) throws IOException {
        List<SetupStep> shuffled = new ArrayList<>(steps);
        Collections.shuffle(shuffled, new Random(seed));
        for (SetupStep step : shuffled) {
            step.send();
        }
    }

    private static void assertStartsInOrder(DaemonProcess daemon, long seed) throws IOException {
        try (EntropyDriver guest = EntropyDriver.initialise(daemon.socket(), Options.DEFAULT)) {
            guest.session().setFeatures(guest.features() | VirtioFeatureBit.PROTOCOL_FEATURES.mask());
            guest.ring().reset(BASE);
            sendShuffled(steps(guest, BASE), seed);

            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @TestFactory
    Stream<DynamicTest> ringStartsAtItsBaseInAnyOrder() throws Exception {
        DaemonProcess daemon = daemons.start();
        return IntStream.range(0, ORDERS)
                .mapToObj(seed -> DynamicTest.dynamicTest("order " + seed, () -> assertStartsInOrder(daemon, seed)));
    }

    @Test
    void ringRestartsInAnyOrder() throws Exception {
        DaemonProcess daemon = daemons.start();
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            for (int seed = 0; seed < ORDERS; seed++) {
                guest.request(64, HANG_TIMEOUT);
                guest.requestq().kick().signal();
                guest.session().getVringBase(FrontendRequestq.INDEX);
                guest.ring().reset(seed);

                sendShuffled(steps(guest, seed), seed);

                assertEquals(64, guest.request(64, HANG_TIMEOUT).length, "order " + seed);
            }
        }
    }

    @Test
    void kickBeforeTheRingIsConfiguredIsNotLost() throws Exception {
        DaemonProcess daemon = daemons.start();
        try (EntropyDriver guest = EntropyDriver.initialise(daemon.socket(), Options.DEFAULT)) {
            guest.session().setFeatures(guest.features());
            guest.session()
                    .setVringKick(FrontendRequestq.INDEX, guest.requestq().kick());
            guest.requestq().kick().signal();
            guest.session().getFeatures();
            guest.ring().makeAvailable(guest.ring().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS, 64));

            guest.session().setMemTable(guest.memory());
            guest.session()
                    .setVringAddr(FrontendRequestq.INDEX, guest.requestq().addresses(), guest.memory());
            guest.session()
                    .setVringNum(
                            FrontendRequestq.INDEX, guest.requestq().addresses().queueSize());

            EventualAssertions.assertEventually(
                    "the request is served", () -> guest.ring().popUsed());
        }
    }

    @Test
    void ringContinuesWhenItsMemoryIsMappedAgain() throws Exception {
        DaemonProcess daemon = daemons.start();
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket());
                FrontendMemoryRegion other =
                        new FrontendMemoryRegion(1L << 40, 0x7b00_0000_0000L, 1 << 16, 0, Sealing.SEALED)) {
            guest.request(64, HANG_TIMEOUT);
            guest.session().setMemTable(new FrontendGuestMemory(List.of(other)));

            guest.session().setMemTable(guest.memory());

            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    void sameSizeMayBeSetWhileTheRingRuns() throws Exception {
        DaemonProcess daemon = daemons.start();
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, HANG_TIMEOUT);

            guest.session()
                    .setVringNum(
                            FrontendRequestq.INDEX, guest.requestq().addresses().queueSize());

            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }
}
