package org.vhostuserrng.cli.egd;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Queue;
import org.vhostuserrng.backends.source.EntropySource;

/**
 * Who is given the bytes of the source. Clients that wait for bytes (0x02) take turns, {@link #TURN} bytes each at most.
 * Those that take what there is at once (0x01) would find nothing for as long as anybody waits: they have a share
 * together, as if they were one client more, whose bytes are set aside until they ask.
 */
final class EgdRoundRobinScheduler {
    /** As much as one command can ask for. */
    static final int TURN = EgdProtocol.LARGEST_READ;

    private static final int RESERVE_BYTES = 1 << 14;
    private static final int MOST_SET_ASIDE = 1 << 10;

    private final EgdEntropyBuffer reserve = new EgdEntropyBuffer(RESERVE_BYTES);
    private final Queue<EgdServerSession> waiting = new ArrayDeque<>();
    private int setAside;
    private int givenSinceSetAside;

    /** Bits that whoever does not wait could get. */
    int level() {
        return Byte.SIZE * availableAtOnce();
    }

    private int availableAtOnce() {
        return waiting.isEmpty() ? reserve.available() : setAside;
    }

    /** Moves bytes for a client that does not wait; returns how many. */
    int moveAtOnce(ByteBuffer target, int length) {
        int moved = reserve.moveTo(target, Math.min(length, availableAtOnce()));
        setAside = Math.max(0, setAside - moved);
        return moved;
    }

    /** Has a client take turns from now on, until it {@linkplain EgdServerSession#isOwed is owed} nothing. */
    void await(EgdServerSession client) {
        if (!client.isWaiting()) {
            client.waiting(true);
            waiting.add(client);
        }
    }

    /** Forgets a client that is gone. */
    void forget(EgdServerSession client) {
        waiting.remove(client);
    }

    /** Whether somebody waits who could be given bytes now, for all that is known of the source. */
    boolean canGiveMore(long now) {
        boolean any = reserve.available() > setAside || !reserve.sourceIsDry();
        return any && waiting.stream().anyMatch(client -> client.isOwed() && client.isAllowed(now));
    }

    /**
     * Takes from the source what it has, and gives it to those who wait for as long as there is some, and one that may
     * have it.
     *
     * @return whether the source has failed
     */
    boolean give(EntropySource source, long now) {
        boolean failed = reserve.takeFrom(source);
        setAside = Math.min(setAside, reserve.available());
        int inVain = 0;
        while (inVain < waiting.size() && reserve.available() > setAside) {
            inVain = giveNext(now) ? 0 : inVain + 1;
        }
        return failed;
    }

    private boolean giveNext(long now) {
        setAsideAShare();
        EgdServerSession client = waiting.remove();
        client.waiting(false);
        int given = client.draw(this, Math.min(TURN, reserve.available() - setAside), now);
        givenSinceSetAside += given;
        if (client.isOwed()) {
            await(client);
        }
        return given > 0;
    }

    /** As much as each of those who wait has been given on average; never what they were not given a share of first. */
    private void setAsideAShare() {
        int share = givenSinceSetAside / waiting.size();
        givenSinceSetAside -= share * waiting.size();
        setAside = Math.min(Math.min(setAside + share, MOST_SET_ASIDE), reserve.available());
    }

    /** Moves bytes for a client whose turn it is; returns how many. */
    int moveInTurn(ByteBuffer target, int length) {
        return reserve.moveTo(target, length);
    }

    void wipe() {
        reserve.wipe();
        setAside = 0;
    }
}
