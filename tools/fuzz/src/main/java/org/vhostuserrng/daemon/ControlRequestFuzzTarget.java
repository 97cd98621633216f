package org.vhostuserrng.daemon;

import static org.vhostuserrng.fuzz.FuzzAssertions.requireOneLine;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.vhostuserrng.libc.NativeText;
import org.vhostuserrng.transport.control.ControlFieldEscaping;
import org.vhostuserrng.transport.control.ControlProtocol;
import org.vhostuserrng.transport.control.ControlRecord;

/**
 * Parses an arbitrary line as a request of a control client, and its arguments as settings of a guest. Both must be
 * accepted or refused with a message. A word that is encoded and decoded must not change.
 */
public final class ControlRequestFuzzTarget {
    private ControlRequestFuzzTarget() {}

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] input) {
        try {
            read(new String(input, StandardCharsets.UTF_8));
        } catch (IllegalArgumentException | BadUsageException refused) {
            requireOneLine(NativeText.printable(refused.getMessage()));
        }
    }

    static void read(String line) throws BadUsageException {
        List<String> words = ControlProtocol.decodeRequest(line);
        for (String word : words) {
            if (!ControlFieldEscaping.unescape(ControlFieldEscaping.escape(word))
                    .equals(word)) {
                throw new AssertionError("changed by its encoding: " + word);
            }
            ControlRecord record = new ControlRecord().with("word", word);
            if (!ControlRecord.decode(record.encode()).fields().equals(record.fields())) {
                throw new AssertionError("changed by its encoding: " + record.fields());
            }
        }
        List<String> arguments = words.subList(1, words.size());
        GuestRateLimiterSettings settings = GuestSettingsEditor.edit(GuestRateLimiterSettings.NONE, arguments);
        assert settings.limits().maxBytes() > 0;
    }
}
