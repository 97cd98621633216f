package org.vhostuserrng.cli.top;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.cli.metrics.MetricsFuzzTarget;
import org.vhostuserrng.device.rng.VirtioRngDevice;
import org.vhostuserrng.fuzz.FuzzCorpus;
import org.vhostuserrng.transport.counters.CounterField;
import org.vhostuserrng.transport.counters.CounterField.Kind;
import org.vhostuserrng.transport.counters.CounterSlot;
import org.vhostuserrng.transport.counters.CountersFile;

/** Writes the seed corpus of the targets that read counters files. The daemon's own classes write the files. */
class CountersFileSeedCorpusTest {
    @TempDir
    private Path directory;

    @Test
    void writesFilesWithAndWithoutGuests() throws IOException {
        List<byte[]> seeds = List.of(file("none"), file("some", "a", "guest \"b\"", "c"));
        for (byte[] seed : seeds) {
            CountersFileFuzzTarget.fuzzerTestOneInput(seed);
            MetricsFuzzTarget.fuzzerTestOneInput(seed);
        }

        FuzzCorpus.write(CountersFileFuzzTarget.class, seeds);
        FuzzCorpus.write(MetricsFuzzTarget.class, seeds);
    }

    private byte[] file(String name, String... guests) throws IOException {
        Path path = directory.resolve(name);
        List<CounterField> daemonFields = List.of(new CounterField("source_failovers", Kind.COUNTER, "", 0));
        List<CounterField> guestFields = VirtioRngDevice.counterFields();
        try (CountersFile file =
                CountersFile.open(path, daemonFields, guestFields, List.of(guests), Instant.EPOCH, 0)) {
            for (String guest : guests) {
                CounterSlot slot = file.addGuest(guest);
                for (int field = 0; field < guestFields.size(); field++) {
                    slot.set(field, field);
                }
            }
        }
        return Files.readAllBytes(path);
    }
}
