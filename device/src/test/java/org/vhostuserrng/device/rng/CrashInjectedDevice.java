package org.vhostuserrng.device.rng;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Set;
import org.vhostuserrng.device.virtqueue.Virtqueue;
import org.vhostuserrng.transport.vhostuser.inflight.InflightRegion;

/**
 * Loads the classes of the device and of the inflight region once more, with a {@link StoreCrashPoint} before each
 * store to memory. A test ends such a device between any two stores and examines what its successor makes of the
 * memory.
 */
final class CrashInjectedDevice extends ClassLoader {
    private static final List<String> PACKAGES = List.of(
            CrashInjectedDevice.class.getPackageName(),
            Virtqueue.class.getPackageName(),
            InflightRegion.class.getPackageName());
    private static final ClassDesc CRASH_POINT =
            StoreCrashPoint.class.describeConstable().orElseThrow();
    private static final MethodTypeDesc TICK = MethodTypeDesc.of(ConstantDescs.CD_void);
    private static final String SEGMENT = MemorySegment.class.getName().replace('.', '/');
    private static final Set<String> STORES = Set.of("set", "fill", "copy");
    /** Writes random bytes only: a crash between two of them makes no difference. */
    private static final String SOURCE = SequenceEntropySource.class.getName();

    private static final Set<String> SHARED =
            Set.of(StoreCrashPoint.class.getName(), StoreCrashPoint.Killed.class.getName());

    CrashInjectedDevice() {
        super(CrashInjectedDevice.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (!PACKAGES.contains(name.substring(0, name.lastIndexOf('.'))) || SHARED.contains(name)) {
            return super.loadClass(name, resolve);
        }
        synchronized (getClassLoadingLock(name)) {
            Class<?> loaded = findLoadedClass(name);
            return loaded != null ? loaded : define(name);
        }
    }

    private Class<?> define(String name) throws ClassNotFoundException {
        try (InputStream in = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
            if (in == null) {
                throw new ClassNotFoundException(name);
            }
            byte[] original = in.readAllBytes();
            byte[] injected = name.startsWith(SOURCE) ? original : withCrashPoints(original);
            return defineClass(name, injected, 0, injected.length);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    private static byte[] withCrashPoints(byte[] original) {
        ClassFile classFile = ClassFile.of();
        return classFile.transformClass(
                classFile.parse(original), ClassTransform.transformingMethodBodies((code, element) -> {
                    if (element instanceof InvokeInstruction call && isStore(call)) {
                        code.invokestatic(CRASH_POINT, "tick", TICK);
                    }
                    code.with(element);
                }));
    }

    private static boolean isStore(InvokeInstruction call) {
        return call.owner().asInternalName().equals(SEGMENT)
                && STORES.contains(call.name().stringValue());
    }
}
