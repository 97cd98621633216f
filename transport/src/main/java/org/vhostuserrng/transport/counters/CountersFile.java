package org.vhostuserrng.transport.counters;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.vhostuserrng.libc.NativeText;
import org.vhostuserrng.transport.counters.CounterField.Kind;
import org.vhostuserrng.transport.sys.SingleWriterFile;

/**
 * The counters file of this process, which is its only writer. Continues the counters of a process that has ended.
 * Values are written with plain stores.
 *
 * <p>Confined to the loop's thread.
 */
public final class CountersFile implements AutoCloseable {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final VarHandle LONG_HANDLE = LONG.varHandle();
    /** Number of extra slots, for guests that are added later. */
    private static final int SPARE_SLOTS = 16;

    private static final int MIN_SLOTS = 64;
    private static final int PERMISSIONS = 0644;

    private final SingleWriterFile file;
    private final MemorySegment memory;
    private final CountersLayout layout;
    private final int slots;
    private final boolean continued;
    private final CounterSlot daemon;
    /** Index of the slot of each guest in the file, by the guest's name. */
    private final Map<String, Integer> slotsByName = new HashMap<>();

    private CountersFile(
            SingleWriterFile file, MemorySegment memory, CountersLayout layout, int slots, boolean continued) {
        this.file = file;
        this.memory = memory;
        this.layout = layout;
        this.slots = slots;
        this.continued = continued;
        this.daemon = new CounterSlot(
                memory.asSlice(layout.daemonSlotOffset(), layout.daemonFields().size() * (long) Long.BYTES));
    }

    /**
     * Creates the file, or continues the file of a process that has ended.
     *
     * @param guests the names of the guests that will be added, for the size of the file
     * @param now the current time by CLOCK_REALTIME
     * @param monotonicNow the same instant by CLOCK_MONOTONIC, nanoseconds
     * @throws IOException if the file cannot be used; its content is unchanged, and the message does not name the file
     */
    public static CountersFile open(
            Path path,
            Collection<CounterField> daemonFields,
            Collection<CounterField> guestFields,
            Collection<String> guests,
            Instant now,
            long monotonicNow)
            throws IOException {
        CountersLayout layout = new CountersLayout(List.copyOf(daemonFields), List.copyOf(guestFields));
        SingleWriterFile file = SingleWriterFile.open(path);
        try {
            CountersFile counters = open(file, layout, guests);
            counters.begin(now, monotonicNow);
            return counters;
        } catch (IOException refused) {
            file.close();
            throw refused;
        }
    }

    private static CountersFile open(SingleWriterFile file, CountersLayout layout, Collection<String> guests)
            throws IOException {
        long size = file.size();
        if (size > 0) {
            CountersFileCheck check = new CountersFileCheck(layout, size);
            MemorySegment old = file.map(check.requireSize());
            if (!check.isBlank(old)) {
                int slots = check.requireContinuable(old, file.isLocked());
                return continueFile(new CountersFile(file, old, layout, slots, true), guests);
            }
        }
        int slots = Math.max(MIN_SLOTS, guests.size() + SPARE_SLOTS);
        MemorySegment memory = file.map(Math.max(size, layout.fileBytes(slots)));
        return new CountersFile(file, memory, layout, slots, false);
    }

    /** Enlarges the file if it has fewer free slots than new guests. */
    private static CountersFile continueFile(CountersFile old, Collection<String> guests) throws IOException {
        old.readSlots();
        long missing = guests.stream()
                .filter(guest -> !old.slotsByName.containsKey(guest))
                .count();
        long reusable =
                old.slots - guests.stream().filter(old.slotsByName::containsKey).count();
        if (missing <= reusable) {
            return old;
        }
        int slots = (int) (old.slots + missing - reusable + SPARE_SLOTS);
        MemorySegment larger = old.file.map(old.layout.fileBytes(slots));
        CountersFile grown = new CountersFile(old.file, larger, old.layout, slots, true);
        grown.slotsByName.putAll(old.slotsByName);
        return grown;
    }

    /**
     * Reads the names of all slots. Frees slots with an incomplete name, and resets the last process's gauges to 0.
     */
    private void readSlots() {
        clearGauges(layout.daemonFields(), layout.daemonSlotOffset());
        for (int slot = 0; slot < slots; slot++) {
            MemorySegment guest = slot(slot);
            long sequence = guest.get(LONG, CountersLayout.SLOT_SEQUENCE);
            guest.set(LONG, CountersLayout.SLOT_SERVED, 0);
            clearGauges(layout.guestFields(), layout.guestSlotOffset(slot) + CountersLayout.SLOT_VALUES);
            if (sequence == 0 || (sequence & 1) != 0) {
                guest.set(LONG, CountersLayout.SLOT_SEQUENCE, 0);
            } else {
                slotsByName.put(name(guest), slot);
            }
        }
    }

    private void clearGauges(List<CounterField> fields, long offset) {
        for (int i = 0; i < fields.size(); i++) {
            if (fields.get(i).kind() == Kind.GAUGE) {
                memory.set(LONG, offset + (long) i * Long.BYTES, 0);
            }
        }
    }

    private static String name(MemorySegment slot) {
        int length = Math.clamp(slot.get(LONG, CountersLayout.SLOT_NAME_LENGTH), 0, CountersLayout.SLOT_NAME_BYTES);
        byte[] bytes = slot.asSlice(CountersLayout.SLOT_NAME, length).toArray(ValueLayout.JAVA_BYTE);
        return NativeText.decode(bytes);
    }

    /**
     * Records this process as the writer of the file. A new file becomes valid, and readable by other users, at the
     * end.
     */
    private void begin(Instant now, long monotonicNow) throws IOException {
        memory.set(LONG, CountersLayout.FILE_BYTES, layout.fileBytes(slots));
        memory.set(LONG, CountersLayout.GUEST_SLOT_COUNT, slots);
        memory.set(LONG, CountersLayout.PID, ProcessHandle.current().pid());
        memory.set(LONG, CountersLayout.START_REALTIME, nanos(now));
        memory.set(LONG, CountersLayout.START_MONOTONIC, monotonicNow);
        memory.set(LONG, CountersLayout.STOP_REALTIME, 0);
        if (continued) {
            memory.set(LONG, CountersLayout.RESTARTS, memory.get(LONG, CountersLayout.RESTARTS) + 1);
        } else {
            new CountersFileDescription(layout).write(memory);
            LONG_HANDLE.setRelease(memory, CountersLayout.MAGIC, CountersLayout.MAGIC_NUMBER);
            file.setPermissions(PERMISSIONS);
        }
    }

    private static long nanos(Instant time) {
        return Math.addExact(Math.multiplyExact(time.getEpochSecond(), 1_000_000_000L), time.getNano());
    }

    /** Returns whether this process continues a file that another process wrote. */
    public boolean isContinued() {
        return continued;
    }

    /** The daemon's own counters, with the values that the previous process left. */
    public CounterSlot daemonSlot() {
        return daemon;
    }

    /**
     * Adds a guest. Returns its counters, with the values that were counted under this name before. Adds a suffix to a
     * name that another guest already uses.
     *
     * @throws IOException if all slots are in use
     */
    public CounterSlot addGuest(String guest) throws IOException {
        String name = uniqueName(guest);
        Integer slot = slotsByName.get(name);
        if (slot == null) {
            slot = freeSlot();
            beginSlot(slot(slot), name);
            slotsByName.put(name, slot);
        }
        MemorySegment memoryOfSlot = slot(slot);
        memoryOfSlot.set(LONG, CountersLayout.SLOT_SERVED, 1);
        return new CounterSlot(memoryOfSlot.asSlice(CountersLayout.SLOT_VALUES), slot);
    }

    /**
     * Records that this process no longer serves a guest. Its counters stay in the file until another guest needs the
     * slot.
     *
     * @param guest the slot that {@link #addGuest} returned, which must not be written afterwards
     */
    public void removeGuest(CounterSlot guest) {
        slot(guest.index()).set(LONG, CountersLayout.SLOT_SERVED, 0);
        clearGauges(layout.guestFields(), layout.guestSlotOffset(guest.index()) + CountersLayout.SLOT_VALUES);
    }

    private String uniqueName(String guest) {
        String name = guest;
        for (int i = 2; slotsByName.containsKey(name) && isServed(slotsByName.get(name)); i++) {
            name = guest + "#" + i;
        }
        return name;
    }

    private int freeSlot() throws IOException {
        int unserved = -1;
        for (int slot = 0; slot < slots; slot++) {
            if (slot(slot).get(LONG, CountersLayout.SLOT_SEQUENCE) == 0) {
                return slot;
            }
            if (unserved < 0 && !isServed(slot)) {
                unserved = slot;
            }
        }
        if (unserved < 0) {
            throw new IOException("has no free slot for another guest; it has " + slots);
        }
        slotsByName.remove(name(slot(unserved)));
        return unserved;
    }

    private boolean isServed(int slot) {
        return slot(slot).get(LONG, CountersLayout.SLOT_SERVED) != 0;
    }

    /** Assigns a slot to another guest. Readers ignore the slot while its sequence is odd. */
    private static void beginSlot(MemorySegment slot, String name) {
        long sequence = slot.get(LONG, CountersLayout.SLOT_SEQUENCE);
        slot.set(LONG, CountersLayout.SLOT_SEQUENCE, sequence | 1);
        VarHandle.releaseFence();
        byte[] bytes = NativeText.encode(name);
        int length = Math.min(bytes.length, CountersLayout.SLOT_NAME_BYTES);
        slot.asSlice(CountersLayout.SLOT_NAME).fill((byte) 0);
        MemorySegment.copy(bytes, 0, slot, ValueLayout.JAVA_BYTE, CountersLayout.SLOT_NAME, length);
        slot.set(LONG, CountersLayout.SLOT_NAME_LENGTH, length);
        LONG_HANDLE.setRelease(slot, CountersLayout.SLOT_SEQUENCE, (sequence | 1) + 1);
    }

    private MemorySegment slot(int slot) {
        return memory.asSlice(layout.guestSlotOffset(slot), layout.guestSlotBytes());
    }

    /** Records the time at which this process ends in an orderly way. */
    public void stop(Instant now) {
        memory.set(LONG, CountersLayout.STOP_REALTIME, nanos(now));
    }

    /** Releases the file for another process. The slots must not be written afterwards. */
    @Override
    public void close() {
        file.close();
    }
}
