package org.vhostuserrng.cli.egd;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;

/** The server's end of a connection to a fake client: the test sends commands and reads the replies. */
final class FakeEgdClientChannel implements ReadableByteChannel, WritableByteChannel {
    private final ByteArrayOutputStream received = new ByteArrayOutputStream();
    private ByteBuffer toServer = ByteBuffer.allocate(0);
    private boolean ended;
    private int room = Integer.MAX_VALUE;

    /** Makes the client send bytes, which are given as integers. */
    FakeEgdClientChannel send(int... bytes) {
        ByteBuffer more =
                ByteBuffer.allocate(toServer.remaining() + bytes.length).put(toServer);
        for (int each : bytes) {
            more.put((byte) each);
        }
        toServer = more.flip();
        return this;
    }

    /** Makes the client shut down its output. */
    void end() {
        ended = true;
    }

    /** Makes the client accept at most {@code bytes} more bytes. */
    void room(int bytes) {
        room = bytes;
    }

    int unread() {
        return toServer.remaining();
    }

    byte[] received() {
        byte[] bytes = received.toByteArray();
        received.reset();
        return bytes;
    }

    @Override
    public int read(ByteBuffer target) {
        if (!toServer.hasRemaining()) {
            return ended ? -1 : 0;
        }
        int length = Math.min(target.remaining(), toServer.remaining());
        target.put(toServer.slice(toServer.position(), length));
        toServer.position(toServer.position() + length);
        return length;
    }

    @Override
    public int write(ByteBuffer replies) {
        int length = Math.min(room, replies.remaining());
        for (int i = 0; i < length; i++) {
            received.write(replies.get());
        }
        room -= length;
        return length;
    }

    @Override
    public boolean isOpen() {
        return true;
    }

    @Override
    public void close() {
        ended = true;
    }
}
