package org.vhostuserrng.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CtlCommandTest {
    private static List<String> absolute(String... request) throws BadUsageException {
        List<String> words = new ArrayList<>(List.of(request));
        CtlCommand.makePathAbsolute(words);
        return words;
    }

    @Test
    void theSocketOfAddIsRelativeToTheWorkingDirectoryOfCtl() throws BadUsageException {
        Path directory = Path.of("").toAbsolutePath();

        assertEquals(List.of("add", directory + "/q.sock", "weight=2"), absolute("add", "q.sock", "weight=2"));
    }

    @Test
    void theSocketOfAddForVfioUserIsRelativeToTheWorkingDirectoryOfCtl() throws BadUsageException {
        Path directory = Path.of("").toAbsolutePath();

        assertEquals(List.of("add", "vfio-user=" + directory + "/q.sock"), absolute("add", "vfio-user=q.sock"));
    }

    @Test
    void wordsOfOtherCommandsAreNotChanged() throws BadUsageException {
        assertEquals(List.of("show", "q.sock"), absolute("show", "q.sock"));
    }
}
