package org.vhostuserrng.daemon.hold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.libc.OwnedFd;

/** Tests the numbering of passed descriptors. The descriptors are only numbers: no file is opened. */
class PassedFdsTest {
    private static NamedFd fd(int number) {
        return new NamedFd("n" + number, new OwnedFd(number));
    }

    private static PassedFds namedBy(List<String> names) {
        return new PassedFds(List.of(), names);
    }

    @Test
    void theStandardDescriptorsComeFirst() {
        assertEquals(List.of(0, 1, 2), PassedFds.of(List.of()).numbers());
    }

    @Test
    void aDescriptorInTheRangeKeepsItsNumber() {
        PassedFds passed = PassedFds.of(List.of(fd(40), fd(4), fd(30)));

        assertEquals(List.of(0, 1, 2, 40, 4, 30), passed.numbers());
    }

    @Test
    void namesFollowTheirDescriptors() {
        PassedFds passed = PassedFds.of(List.of(fd(40), fd(4), fd(30)));

        assertEquals("n40:n4:n30", passed.listenFdNames());
    }

    @Test
    void noDescriptorIsReplacedBeforeItIsUsed() {
        List<NamedFd> all = new ArrayList<>();
        for (int number = 3; number < 200; number += 2) {
            all.add(fd(number));
        }

        List<Integer> numbers = PassedFds.of(all).numbers();

        for (int i = 0; i < numbers.size(); i++) {
            assertTrue(numbers.get(i) == i || numbers.get(i) >= numbers.size(), numbers::toString);
        }
    }

    @Test
    void tenThousandNamesOfTwelveCharactersFit() {
        PassedFds passed = namedBy(Collections.nCopies(10_000, "a name of 12"));

        assertEquals(0, passed.omittedNames());
    }

    @Test
    void namesThatDoNotFitAreEmpty() {
        PassedFds passed = namedBy(Collections.nCopies(10_000, "n".repeat(255)));

        String value = passed.listenFdNames();

        assertEquals(10_000, value.split(":", -1).length);
        assertTrue("LISTEN_FDNAMES=".length() + value.length() < 128 << 10);
        assertTrue(passed.omittedNames() > 0);
    }

    @Test
    void theSeparatorsOfAllDescriptorsFit() {
        PassedFds passed = namedBy(Collections.nCopies(1 << 16, "stored"));

        assertTrue("LISTEN_FDNAMES=".length() + passed.listenFdNames().length() < 128 << 10);
    }
}
