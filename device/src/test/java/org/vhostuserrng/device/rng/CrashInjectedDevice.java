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
import java.util.Set;

/**
 * Loads the classes of the device once more, with a tick of {@link StoreCrashPoint} before each store into memory: a test can
 * end such a device between any two stores, and see what its successor makes of what it left behind.
 */
final class CrashInjectedDevice extends ClassLoader {
    private static final String PACKAGE = CrashInjectedDevice.class.getPackageName() + ".";
    private static final ClassDesc CLOCK =
            StoreCrashPoint.class.describeConstable().orElseThrow();
    private static final MethodTypeDesc TICK = MethodTypeDesc.of(ConstantDescs.CD_void);
    private static final String SEGMENT = MemorySegment.class.getName().replace('.', '/');
    private static final Set<String> STORES = Set.of("set", "fill", "copy");
    /** Bytes of buffers: where a run of those ends makes no difference. */
    private static final String SOURCE = SequenceEntropySource.class.getName();

    private static final Set<String> SHARED =
            Set.of(StoreCrashPoint.class.getName(), StoreCrashPoint.Killed.class.getName());

    CrashInjectedDevice() {
        super(CrashInjectedDevice.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (!name.startsWith(PACKAGE) || SHARED.contains(name)) {
            return super.loadClass(name, resolve);
        }
        synchronized (getClassLoadingLock(name)) {
            Class<?> loaded = findLoadedClass(name);
            return loaded != null ? loaded : define(name);
        }
    }

    private Class<?> define(String name) throws ClassNotFoundException {
        String file = name.substring(PACKAGE.length()) + ".class";
        try (InputStream in = CrashInjectedDevice.class.getResourceAsStream(file)) {
            if (in == null) {
                throw new ClassNotFoundException(name);
            }
            byte[] original = in.readAllBytes();
            byte[] ticking = name.startsWith(SOURCE) ? original : withTicks(original);
            return defineClass(name, ticking, 0, ticking.length);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    private static byte[] withTicks(byte[] original) {
        ClassFile classFile = ClassFile.of();
        return classFile.transformClass(
                classFile.parse(original), ClassTransform.transformingMethodBodies((code, element) -> {
                    if (element instanceof InvokeInstruction call && isStore(call)) {
                        code.invokestatic(CLOCK, "tick", TICK);
                    }
                    code.with(element);
                }));
    }

    private static boolean isStore(InvokeInstruction call) {
        return call.owner().asInternalName().equals(SEGMENT)
                && STORES.contains(call.name().stringValue());
    }
}
