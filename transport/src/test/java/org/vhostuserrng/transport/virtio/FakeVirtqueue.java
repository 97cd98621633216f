package org.vhostuserrng.transport.virtio;

/** A started virtqueue whose results a test chooses. */
public final class FakeVirtqueue implements VirtqueueHandler {
    public final VirtqueueConfig config;
    public DrainResult result = DrainResult.EMPTY;
    public long retryAt = NEVER;
    public boolean pending;
    public boolean memoryVanished;
    public RuntimeException bug;
    public int drains;
    public int busyPollDrains;
    public boolean stopped;
    public boolean disabled;
    public VirtqueuePosition position;

    FakeVirtqueue(VirtqueueConfig config) {
        this.config = config;
        this.position = config.position();
    }

    @Override
    public DrainResult drain() {
        drains++;
        return outcome();
    }

    @Override
    public DrainResult drainForBusyPoll() {
        busyPollDrains++;
        return outcome();
    }

    private DrainResult outcome() {
        if (bug != null) {
            throw bug;
        }
        if (memoryVanished) {
            throw new InternalError("SIGBUS");
        }
        return result;
    }

    @Override
    public boolean hasPending() {
        if (memoryVanished) {
            throw new InternalError("SIGBUS");
        }
        return pending;
    }

    @Override
    public long retryAt() {
        return retryAt;
    }

    @Override
    public void disabled() {
        disabled = true;
    }

    @Override
    public String fault() {
        return "fault of the driver";
    }

    @Override
    public VirtqueuePosition position() {
        return position;
    }

    @Override
    public VirtqueuePosition stop() {
        stopped = true;
        return position;
    }
}
