# The same work by River: predict and learn, row by row.
#   online_model.py VALUES LABELS FEATURES ROWS L2
# VALUES: doubles, row by row; LABELS: a byte for each row. Says how long it took, and the sum of log losses.
import array
import json
import math
import sys
import time

from river import compose, linear_model, optim, preprocessing

values_path, labels_path, features, rows, l2 = sys.argv[1:]
features, rows = int(features), int(rows)
values = array.array("d")
with open(values_path, "rb") as file:
    values.fromfile(file, features * rows)
with open(labels_path, "rb") as file:
    labels = file.read(rows)
names = [f"x{index}" for index in range(features)]
data = [(dict(zip(names, values[row * features : (row + 1) * features])), labels[row] == 1) for row in range(rows)]

model = compose.Pipeline(
    preprocessing.StandardScaler(),
    linear_model.LogisticRegression(optimizer=optim.SGD(0.01), l2=float(l2), intercept_lr=0.01),
)
loss = 0.0
started, cpu = time.perf_counter_ns(), time.process_time_ns()
for row, label in data:
    probability = model.predict_proba_one(row)[True]
    probability = min(max(probability, 1e-15), 1 - 1e-15)
    loss -= math.log(probability if label else 1 - probability)
    model.learn_one(row, label)
ended = {"ns": time.perf_counter_ns() - started, "cpuNs": time.process_time_ns() - cpu}
print(json.dumps({**ended, "loss": loss}))
