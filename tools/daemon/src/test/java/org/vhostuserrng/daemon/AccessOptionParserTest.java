package org.vhostuserrng.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.transport.vhostuser.ListenerAccess;

class AccessOptionParserTest {
    private static ListenerAccess access(String... options) throws BadUsageException {
        return new AccessOptionParser(DaemonArguments.parse(DaemonCommand.PROGRAM, DaemonOptions.all(), options))
                .ofAll();
    }

    @Test
    void theUmaskDeterminesTheModeByDefault() throws BadUsageException {
        assertEquals(ListenerAccess.BY_UMASK, access());
    }

    @Test
    void aModeIsOctal() throws BadUsageException {
        assertEquals(0660, access("--socket-mode=0660").mode());
        assertEquals(0600, access("--socket-mode=600").mode());
    }

    @Test
    void aGroupMayConnectUnlessAModeSaysOtherwise() throws BadUsageException {
        assertEquals(0660, access("--socket-group=7").mode());
        assertEquals(7, access("--socket-group=7").group());
        assertEquals(0600, access("--socket-group=7", "--socket-mode=0600").mode());
    }

    @Test
    void findsUsersAndGroupsByName() throws BadUsageException {
        assertEquals(0, access("--socket-group=root").group());
        assertEquals(Set.of(0, 5, -2), access("--allow-uid=root,5,4294967294").uids());
        assertEquals(Set.of(0, 6), access("--allow-gid=root", "--allow-gid=6").gids());
    }

    @Test
    void aGuestsOwnOptionsOverrideThoseForAll() throws BadUsageException {
        DaemonArguments arguments = DaemonArguments.parse(
                DaemonCommand.PROGRAM, DaemonOptions.all(), "--socket-mode=0600", "--allow-uid=1", "--allow-gid=2");
        GuestOptions guest = new GuestOptions(
                "a", "guest 'a'", true, Map.of("allow-uid", List.of(new OptionValue("allow-uid", "3"))));

        ListenerAccess own = new AccessOptionParser(arguments).of(guest);

        assertEquals(new ListenerAccess(0600, ListenerAccess.UNCHANGED, Set.of(3), Set.of()), own);
    }
}
